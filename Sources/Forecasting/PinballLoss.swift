internal import CRecurrentKernels

/// The pinball loss of one quantile, for those who score in double precision.
public enum PinballLoss {
    /// In the unit of `difference`, truth − forecast.
    public static func of(_ difference: Double, level: Double) -> Double {
        Double(crk_pinball_slope(Float(level), Float(difference))) * difference
    }
}

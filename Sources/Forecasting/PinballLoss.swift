internal import CRecurrentKernels

/// The pinball loss of one quantile, in double precision.
public enum PinballLoss {
    /// The loss for `difference`, actual value − forecast, in its unit.
    public static func of(_ difference: Double, level: Double) -> Double {
        Double(crk_pinball_slope(Float(level), Float(difference))) * difference
    }
}

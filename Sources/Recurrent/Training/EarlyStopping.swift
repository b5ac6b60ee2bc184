/// Stops training after `patience` epochs in which the monitored loss did not fall by more than `minDelta`.
///
/// That is the validation loss, or the training loss without validation data.
public struct EarlyStopping: Sendable, Equatable {
    public let patience: Int
    public let minDelta: Double
    /// Whether the weights of the best epoch are restored at the end.
    public let restoreBestWeights: Bool

    public init(patience: Int, minDelta: Double = 0, restoreBestWeights: Bool = true) {
        (self.patience, self.minDelta, self.restoreBestWeights) = (patience, minDelta, restoreBestWeights)
    }

    /// The state kept between epochs.
    struct Watch {
        let rule: EarlyStopping
        private var best = Double.infinity
        private var waited = 0
        private(set) var bestWeights: [[Float]]?

        init(_ rule: EarlyStopping) { self.rule = rule }

        /// Whether training should stop after an epoch with this loss.
        mutating func shouldStop(_ loss: Double, _ weights: @autoclosure () -> [[Float]]) -> Bool {
            if loss < best - rule.minDelta {
                (best, waited) = (loss, 0)
                if rule.restoreBestWeights { bestWeights = weights() }
                return false
            }
            waited += 1
            return waited >= rule.patience
        }
    }
}

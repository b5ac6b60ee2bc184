extension ServedModel {
    /// The tail probability of the newest value under the forecast made before it.
    ///
    /// Nil without a forecast, and until the intervals have been calibrated on enough slots: the very first forecasts
    /// are points.
    ///
    /// - Parameter state: the state of a series under this model, `[stateCount]`.
    package func reliableTail(of state: UnsafeBufferPointer<Float>) -> Float? {
        guard state.count == stateCount else { return nil }
        let (tail, seen) = (state[model.stateCount + layout.tail], state[model.stateCount + layout.scoredSlots])
        return tail.isNaN || seen < Self.burnIn ? nil : tail
    }

    /// The number of scored slots before the first tail that counts; the intervals change most during these.
    private static let burnIn: Float = 50

    /// The forecast of the slot after the newest, `[quantiles]`, against which its value will be scored.
    ///
    /// - Parameter state: the state of a series under this model, `[stateCount]`; the result is empty for any other
    ///   length.
    package func expectation(in state: UnsafeBufferPointer<Float>) -> UnsafeBufferPointer<Float> {
        guard state.count == stateCount else { return UnsafeBufferPointer(start: nil, count: 0) }
        let start = model.stateCount + layout.next
        return UnsafeBufferPointer(rebasing: state[start..<start + layout.width])
    }
}

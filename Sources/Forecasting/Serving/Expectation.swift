extension ServedModel {
    /// The tail probability of the newest value under the forecast made before it; nil without one, and while the intervals
    /// know too little of the series: the first forecasts of all are points.
    ///
    /// - Parameter state: of this model, `[stateCount]`.
    package func settledTail(of state: UnsafeBufferPointer<Float>) -> Float? {
        guard state.count == stateCount else { return nil }
        let (tail, seen) = (state[model.stateCount + layout.tail], state[model.stateCount + layout.scoredSlots])
        return tail.isNaN || seen < Self.settling ? nil : tail
    }

    /// Scored slots before the first tail that counts; the intervals move most in these.
    private static let settling: Float = 50

    /// The forecast of the slot after the newest, `[quantiles]`, that its value will be held against.
    ///
    /// - Parameter state: of this model, `[stateCount]`; empty for any other.
    package func expectation(in state: UnsafeBufferPointer<Float>) -> UnsafeBufferPointer<Float> {
        guard state.count == stateCount else { return UnsafeBufferPointer(start: nil, count: 0) }
        let start = model.stateCount + layout.next
        return UnsafeBufferPointer(rebasing: state[start..<start + layout.width])
    }
}

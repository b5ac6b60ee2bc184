public import TimeSeries

/// What a series' score state says, for people and for the database.
public struct ScoreReport: Sendable {
    /// The experts and their weights in the mix of today; one for a model with one forecast.
    public var experts: [(name: String, weight: Float)]
    /// The block of slots that is being scored; nil before the first.
    public var block: SlotScores?
    /// The loss of the next slot's forecast over the series' mean absolute step: lately (48 slots), and in the long run
    /// (1,024); nil while too few slots were scored.
    public var drift: (lately: Float, longRun: Float)?
    /// The tail probability of the newest slot's value; nil without a forecast for it.
    public var tail: Float?
    /// How unusual the slot is for this series, in bits: 0 for nothing unusual, at most 20.
    public var surprise: Float
}

extension ServedModel {
    /// - Parameters:
    ///   - state: of this model, `[stateCount]`.
    ///   - slot: the newest it has stepped over.
    ///   - first: the first slot whose truths count, see ``forgetScores(in:)``.
    public func report(of state: [Float], slot: Slot, cadence: Cadence, from first: Slot = .min) -> ScoreReport? {
        guard state.count == stateCount else { return nil }
        return state.withUnsafeBufferPointer { buffer -> ScoreReport? in
            guard let base = buffer.baseAddress else { return nil }
            let floats = base + model.stateCount
            let weights = (0..<layout.experts).map { layout.experts > 1 ? floats[layout.weights + $0] : 1 }
            let tail = floats[layout.tail]
            return ScoreReport(
                experts: zip(model.experts, weights).map { ($0.name, $1) },
                block: scores(floats, slot, cadence, from: first),
                drift: drift(floats),
                tail: tail.isNaN ? nil : tail, surprise: floats[layout.surprise])
        }
    }

    /// The tail probability of the newest value under the forecast made before it, nil without one, and how unusual the
    /// slot is for this series, in bits.
    public func surprise(of state: [Float]) -> (tail: Float?, surprise: Float) {
        guard state.count == stateCount else { return (nil, 0) }
        let tail = state[model.stateCount + layout.tail]
        return (tail.isNaN ? nil : tail, state[model.stateCount + layout.surprise])
    }

    /// The loss of the next slot's forecast, lately and in the long run; nil while too few slots were scored.
    public func drift(of state: [Float]) -> (lately: Float, longRun: Float)? {
        guard state.count == stateCount else { return nil }
        return state.withUnsafeBufferPointer { $0.baseAddress.flatMap { drift($0 + model.stateCount) } }
    }

    private func drift(_ floats: UnsafePointer<Float>) -> (lately: Float, longRun: Float)? {
        floats[layout.scoredSlots] >= 256 ? (floats[layout.lately], floats[layout.longRun]) : nil
    }

    /// The block of slots that `slot` is in, without those before `first`; nil if the state scores another.
    public func scores(of state: [Float], slot: Slot, cadence: Cadence, from first: Slot = .min) -> SlotScores? {
        guard state.count == stateCount else { return nil }
        return state.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.flatMap { scores($0 + model.stateCount, slot, cadence, from: first) }
        }
    }

    /// Forgets what the block of a state, `[stateCount]`, has scored so far: the slots that it warmed up on.
    package func forgetScores(in state: UnsafeMutablePointer<Float>) {
        layout.block.forget(state + model.stateCount + layout.blockStart)
    }

    private func scores(
        _ floats: UnsafePointer<Float>, _ slot: Slot, _ cadence: Cadence, from first: Slot
    ) -> SlotScores? {
        let (block, places) = (floats + layout.blockStart, layout.block)
        let length = Self.blockLength(of: cadence)
        let number = floorDivide(slot, length)
        guard slot >= first, block[0] == Float(truncating24: number) else { return nil }
        let leads = places.leads.enumerated().map { place, lead in
            let sums = block + places.losses + place * 3
            return SlotScores.Lead(lead: lead, count: whole(sums[0]), loss: sums[1], error: sums[2])
        }
        let coverage = (0..<layout.horizon).map { place in
            let counts = block + places.coverage + place * 3
            return SlotScores.Coverage(count: whole(counts[0]), outer: whole(counts[1]), inner: whole(counts[2]))
        }
        let start = max(number * length, first)
        let offsets = Int(start - number * length)..<Int(length)
        let tails = offsets.map { offset in
            UInt8(truncatingIfNeeded: whole(block[places.tails + offset / 3]) >> (8 * (offset % 3)))
        }
        return SlotScores(
            start: start, slots: offsets.count, scale: floats[layout.scale], leads: leads, coverage: coverage,
            tails: tails, nominal: nominal)
    }

    /// How many slots of a series with this cadence are scored together.
    public static func blockLength(of cadence: Cadence) -> Int64 {
        ScoreBlock.slots(cadenceSeconds: Float(cadence.nanoseconds) / 1e9)
    }
}

/// A count that is kept as a float.
private func whole(_ x: Float) -> Int { x.isFinite ? Int(max(0, min(x, 16_777_215))) : 0 }

extension SlotScores {
    /// The tail probability of a slot's value from its eight bits; nil for a slot without.
    public static func tail(of code: UInt8) -> Float? { ScoreBlock.tail(of: code) }
}

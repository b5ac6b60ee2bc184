public import TimeSeries

/// The contents of a series' score state, for people and for the database.
public struct ScoreReport: Sendable {
    /// The experts and their current weights in the mix; one for a model with a single expert.
    public var experts: [(name: String, weight: Float)]
    /// The block of slots being scored; nil before the first.
    public var block: SlotScores?
    /// The loss of the one-step forecast divided by the series' mean absolute step, as a recent mean (48 slots) and a
    /// long-run mean (1,024 slots); nil until 256 slots have been scored.
    public var drift: (lately: Float, longRun: Float)?
    /// The tail probability of the newest slot's value; nil without a forecast for it.
    public var tail: Float?
    /// How unusual the slot is for this series, in bits: 0 for nothing unusual, at most 20.
    public var surprise: Float
}

extension ServedModel {
    /// The report on a score state; nil if `state` is not one of this model.
    ///
    /// - Parameters:
    ///   - state: the state of a series under this model, `[stateCount]`.
    ///   - slot: the newest slot stepped.
    ///   - first: the first slot whose actual values count, see ``forgetScores(in:)``.
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

    /// The loss of the one-step forecast, as a recent and a long-run mean; nil until 256 slots have been scored.
    public func drift(of state: [Float]) -> (lately: Float, longRun: Float)? {
        guard state.count == stateCount else { return nil }
        return state.withUnsafeBufferPointer { $0.baseAddress.flatMap { drift($0 + model.stateCount) } }
    }

    private func drift(_ floats: UnsafePointer<Float>) -> (lately: Float, longRun: Float)? {
        floats[layout.scoredSlots] >= 256 ? (floats[layout.recentLoss], floats[layout.longRunLoss]) : nil
    }

    /// The scores of the block that contains `slot`, without slots before `first`; nil if the state is scoring another
    /// block.
    public func scores(of state: [Float], slot: Slot, cadence: Cadence, from first: Slot = .min) -> SlotScores? {
        guard state.count == stateCount else { return nil }
        return state.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.flatMap { scores($0 + model.stateCount, slot, cadence, from: first) }
        }
    }

    /// Discards the scores in the current block of a state, `[stateCount]`: those of the slots on which it warmed up.
    package func forgetScores(in state: UnsafeMutablePointer<Float>) {
        layout.block.discard(state + model.stateCount + layout.blockStart)
    }

    private func scores(
        _ floats: UnsafePointer<Float>, _ slot: Slot, _ cadence: Cadence, from first: Slot
    ) -> SlotScores? {
        let (block, offsets) = (floats + layout.blockStart, layout.block)
        let length = Self.blockLength(of: cadence)
        let number = floorDivide(slot, length)
        guard slot >= first, block[0] == Float(truncating24: number) else { return nil }
        let leads = offsets.leads.enumerated().map { index, lead in
            let sums = block + offsets.losses + index * 3
            return SlotScores.Lead(lead: lead, count: whole(sums[0]), loss: sums[1], error: sums[2])
        }
        let coverage = (0..<layout.horizon).map { index in
            let counts = block + offsets.coverage + index * 3
            return SlotScores.Coverage(count: whole(counts[0]), outer: whole(counts[1]), inner: whole(counts[2]))
        }
        let start = max(number * length, first)
        let slots = Int(start - number * length)..<Int(length)
        let tails = slots.map { slot in
            UInt8(truncatingIfNeeded: whole(block[offsets.tails + slot / 3]) >> (8 * (slot % 3)))
        }
        return SlotScores(
            start: start, slots: slots.count, scale: floats[layout.scale], leads: leads, coverage: coverage,
            tails: tails, nominal: nominal)
    }

    /// The number of slots in a scored block for a series with this cadence.
    public static func blockLength(of cadence: Cadence) -> Int64 {
        ScoreBlock.slots(cadenceSeconds: Float(cadence.nanoseconds) / 1e9)
    }
}

/// A count that is stored as a float.
private func whole(_ x: Float) -> Int { x.isFinite ? Int(max(0, min(x, 16_777_215))) : 0 }

extension SlotScores {
    /// The tail probability of a slot's value from its eight-bit code; nil for a slot without one.
    public static func tail(of code: UInt8) -> Float? { ScoreBlock.tail(of: code) }
}

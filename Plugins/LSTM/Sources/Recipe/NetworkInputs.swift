import LinearARForecaster
import Recurrent

/// Converts the numbers of slots to the inputs of a network.
struct NetworkInputs: Sendable {
    let shape: SlotShape
    let waves: SeasonWaves
    /// Whether differences are compressed by asinh.
    let squashes: Bool

    init(_ shape: SlotShape, squashes: Bool) {
        (self.shape, self.squashes) = (shape, squashes)
        waves = SeasonWaves(shape.seasons)
    }

    /// The inputs of the LSTM: every error channel as asinh(2e) and as a log magnitude.
    static let recurrentCount = 2 * SlotShape.errorCount
    /// The inputs of the memoryless layer: plain inputs, waves, and the inputs of the LSTM.
    var denseCount: Int { SlotShape.plainCount + waves.count + Self.recurrentCount }
    /// The inputs of the decoder for a slot, the same for all leads.
    static let staticCount = SlotShape.staticCount + SlotShape.memoryCount
    /// The inputs of the decoder for a lead: lag m and its neighbors, lag 2m, lag week, waves, and the lead itself.
    var leadCount: Int { 7 + waves.count }

    /// Compresses raw error channels, `[rows][errorCount]`, to `[rows][recurrentCount]`.
    static func squashErrors(_ rows: Int, _ raw: UnsafeMutablePointer<Float>, to out: UnsafeMutablePointer<Float>) {
        let count = SlotShape.errorCount
        let total = rows * count
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * total) { buffer in
            guard let first = buffer.baseAddress else { return }
            let second = first + total
            for index in 0..<total {
                first[index] = 2 * raw[index]
                second[index] = 0.05 + raw[index].magnitude
            }
            Kernels.best.asinh(total, first, to: first)
            Kernels.best.log(total, second, to: second)
            for row in 0..<rows {
                let (out, first, second) = (out + row * 2 * count, first + row * count, second + row * count)
                for index in 0..<count {
                    out[index] = first[index]
                    out[count + index] = 0.5 * (second[index] + 1.5)
                }
            }
        }
    }

    /// Writes the plain inputs and the waves of one slot; the inputs of the LSTM follow them.
    func writePlain(_ slot: UnsafePointer<Float>, to out: UnsafeMutablePointer<Float>) {
        for index in 0..<SlotShape.plainCount { out[index] = slot[index] }
        if squashes { Kernels.best.asinh(SlotShape.plainCount - 1, slot, to: out) }
        waves.write(
            Int(slot[shape.phases]), Int(slot[shape.phases + 1]), lead: 0, to: out + SlotShape.plainCount)
    }

    /// Writes the inputs of the decoder for one slot.
    ///
    /// These are the statics `[staticCount]`, the leads `[horizon][leadCount]`, and the simple forecasts that the gate
    /// mixes, `[horizon][5]`: base, lag m, last, lag week, mean of a season.
    func writeDecoder(
        _ slot: UnsafePointer<Float>, statics: UnsafeMutablePointer<Float>, leads: UnsafeMutablePointer<Float>,
        simple: UnsafeMutablePointer<Float>
    ) {
        let horizon = shape.horizon
        writeSimple(slot, to: simple)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 3 * horizon + 2) { buffer in
            guard let lags = buffer.baseAddress else { return }
            let count = 3 * horizon + 2
            if squashes {
                Kernels.best.asinh(count, slot + shape.shortLags, to: lags)
                Kernels.best.asinh(SlotShape.staticCount, slot + shape.statics, to: statics)
            } else {
                for index in 0..<count { lags[index] = slot[shape.shortLags + index] }
                for index in 0..<SlotShape.staticCount { statics[index] = slot[shape.statics + index] }
            }
            writeLeads(slot, lags, to: leads)
        }
        let memories = statics + SlotShape.staticCount
        for index in 0..<SlotShape.memoryCount { memories[index] = 0.05 + slot[shape.memories + index] }
        Kernels.best.log(SlotShape.memoryCount, memories, to: memories)
        for index in 0..<SlotShape.memoryCount { memories[index] = 0.5 * (memories[index] + 1.5) }
    }

    private func writeLeads(
        _ slot: UnsafePointer<Float>, _ lags: UnsafePointer<Float>, to leads: UnsafeMutablePointer<Float>
    ) {
        let horizon = shape.horizon
        let (double, long) = (lags + horizon + 2, lags + 2 * horizon + 2)
        let phases = (Int(slot[shape.phases]), Int(slot[shape.phases + 1]))
        for lead in 1...horizon {
            let out = leads + (lead - 1) * leadCount
            out[0] = lags[lead]
            out[1] = double[lead - 1]
            out[2] = lags[lead - 1]
            out[3] = lags[lead + 1]
            out[4] = long[lead - 1]
            out[5] = Float(lead) / Float(horizon)
            out[6] = 1 / Float(lead)
            waves.write(phases.0, phases.1, lead: lead, to: out + 7)
        }
    }

    static let simpleCount = 5

    private func writeSimple(_ slot: UnsafePointer<Float>, to simple: UnsafeMutablePointer<Float>) {
        for lead in 0..<shape.horizon {
            let out = simple + lead * Self.simpleCount
            out[0] = slot[shape.base + lead]
            out[1] = slot[shape.shortLags + lead + 1]
            out[2] = 0
            out[3] = slot[shape.longLags + lead]
            out[4] = slot[shape.statics + 2]
        }
    }
}

internal import CRecurrentKernels
import Forecasting
import Recurrent

/// The forward pass of a network over prepared series: the LSTM over a chunk of every row, the decoder over the scored
/// slots.
final class RecipeForward {
    /// A scored slot: the row of the batch, and the step within the chunk.
    struct Position {
        var row: Int
        var step: Int
    }

    let network: RecipeNetwork
    let prepared: PreparedGroup
    let chunk: Int
    let tile: Decoder.Tile
    let denseInputs: Workspace
    let denseSlopes: Workspace
    let masks: Workspace
    var random: RandomSource
    private let inputs: NetworkInputs
    private let batch: Int
    private let noise: Float
    private let dropout: Float
    private let targets: Workspace
    private let denseOutputs: Workspace
    private let errors: Workspace
    /// `[batch][chunk][recurrentCount]`, with noise; the memoryless layer reads the same values.
    private var recurrentInputs: [Float] = []

    /// Small enough that a tile stays in the L2 cache between its forward and backward pass. Does not affect the
    /// results.
    static let tileSlots = 8

    /// - Parameters:
    ///   - noise: the standard deviation of the noise on inputs.
    ///   - dropout: the dropout rate of the decoder's inputs from state and series.
    init(
        _ network: RecipeNetwork, _ prepared: PreparedGroup, batch: Int, chunk: Int, noise: Float, dropout: Float,
        seed: UInt64
    ) {
        (self.network, self.prepared, self.batch, self.chunk) = (network, prepared, batch, chunk)
        (self.noise, self.dropout, random) = (noise, dropout, RandomSource(seed: seed))
        let (sizes, slots) = (network.sizes, Self.tileSlots)
        inputs = NetworkInputs(prepared.shape, squashes: sizes.squashes)
        tile = Decoder.Tile(slots: slots, sizes, keepsSlopes: true)
        targets = Workspace(slots * sizes.horizon)
        denseInputs = Workspace(slots * sizes.dense)
        denseOutputs = Workspace(slots * sizes.denseUnits)
        denseSlopes = Workspace(slots * sizes.denseUnits)
        masks = Workspace(slots * sizes.remembered)
        errors = Workspace(batch * chunk * SlotShape.errorCount)
    }

    // MARK: The recurrent part

    /// Runs the LSTM over the chunks of `rows`, from `state` or from zero: `[batch, chunk, units]`; nil without an
    /// LSTM.
    func runRecurrent(_ rows: [RecipeStreams.Row], from state: LSTM.State?) throws(RecurrentError) -> Tensor? {
        guard let lstm = network.lstm else { return nil }
        readErrors(rows)
        let count = NetworkInputs.recurrentCount
        let x = [Float](unsafeUninitializedCapacity: batch * chunk * count) { out, filled in
            filled = batch * chunk * count
            if let out = out.baseAddress { NetworkInputs.squashErrors(batch * chunk, errors.base, to: out) }
        }
        recurrentInputs = x
        if let state { try lstm.resetStates(to: state) } else { lstm.resetStates() }
        return try lstm.forward(Tensor(shape: [batch, chunk, count], values: x), mask: nil, training: true)
    }

    private func readErrors(_ rows: [RecipeStreams.Row]) {
        let count = SlotShape.errorCount
        for (row, stream) in rows.enumerated() {
            prepared.series[stream.series].numbers.withUnsafeBufferPointer { numbers in
                for step in 0..<chunk {
                    let from = (stream.position + step) * prepared.shape.count + prepared.shape.errors
                    let to = errors.base + (row * chunk + step) * count
                    for index in 0..<count { to[index] = numbers[from + index] }
                }
            }
        }
        guard noise > 0 else { return }
        for index in 0..<batch * chunk * count { errors.base[index] += noise * random.roughlyNormal() }
    }

    // MARK: Scored slots

    /// The number of leads at a position that have an actual value.
    func scoredLeads(_ position: Position, _ rows: [RecipeStreams.Row]) -> Int {
        let stream = rows[position.row]
        return prepared.series[stream.series].writeTargets(
            stream.position + position.step, horizon: network.sizes.horizon, to: targets.base)
    }

    /// The mean pinball loss over `positions`, in units of the series' scales.
    ///
    /// - Parameter each: called with the positions of a tile, whose `quantiles` then contain the derivative of the loss
    ///   with respect to them.
    func score(
        _ positions: [Position], _ rows: [RecipeStreams.Row], _ h: Tensor?, each: ([Position]) -> Void = { _ in }
    ) throws(RecurrentError) -> Double {
        let cell = try RecipeCell(network)
        let scored = max(1, positions.reduce(0) { $0 + scoredLeads($1, rows) })
        let scale = 1 / Float(scored * network.sizes.quantiles.count)
        var loss = 0.0
        for from in stride(from: 0, to: positions.count, by: Self.tileSlots) {
            let part = Array(positions[from..<min(from + Self.tileSlots, positions.count)])
            fill(part, rows, h, cell)
            cell.decoder.forward(part.count, tile)
            loss += pinball(part.count, scale)
            each(part)
        }
        return loss
    }

    /// Fills the tile with the decoder's inputs at the positions, and with the targets.
    private func fill(_ positions: [Position], _ rows: [RecipeStreams.Row], _ h: Tensor?, _ cell: RecipeCell) {
        let (sizes, shape) = (network.sizes, prepared.shape)
        for (slot, position) in positions.enumerated() {
            let stream = rows[position.row]
            let series = prepared.series[stream.series]
            let index = stream.position + position.step
            _ = series.writeTargets(index, horizon: sizes.horizon, to: targets.base + slot * sizes.horizon)
            let context = tile.context + slot * sizes.context
            series.numbers.withUnsafeBufferPointer { numbers in
                guard let numbers = numbers.baseAddress else { return }
                let from = numbers + index * shape.count
                inputs.writeDecoder(
                    from, statics: context + sizes.remembered,
                    leads: tile.leads + slot * sizes.horizon * sizes.leads,
                    simple: tile.simple + slot * sizes.horizon * NetworkInputs.simpleCount)
                writeDense(from, position, to: denseInputs.base + slot * sizes.dense)
            }
            if let h {
                let from = (position.row * chunk + position.step) * sizes.units
                for unit in 0..<sizes.units { context[unit] = h.values[from + unit] }
            }
            cell.writeEmbedding(series.memberRow, to: context + sizes.units + sizes.denseUnits)
            drawMask(masks.base + slot * sizes.remembered)
        }
        cell.runDense(positions.count, denseInputs.base, to: denseOutputs.base, slopes: denseSlopes.base)
        for slot in 0..<positions.count {
            let context = tile.context + slot * sizes.context
            let from = denseOutputs.base + slot * sizes.denseUnits
            for unit in 0..<sizes.denseUnits { context[sizes.units + unit] = from[unit] }
            let mask = masks.base + slot * sizes.remembered
            for index in 0..<sizes.remembered { context[index] *= mask[index] }
        }
    }

    private func writeDense(
        _ numbers: UnsafePointer<Float>, _ position: Position, to out: UnsafeMutablePointer<Float>
    ) {
        let sizes = network.sizes
        inputs.writePlain(numbers, to: out)
        let plain = sizes.dense - NetworkInputs.recurrentCount
        if noise > 0 { for index in 0..<plain { out[index] += noise * random.roughlyNormal() } }
        if sizes.isRecurrent {
            let from = (position.row * chunk + position.step) * NetworkInputs.recurrentCount
            for index in 0..<NetworkInputs.recurrentCount { out[plain + index] = recurrentInputs[from + index] }
            return
        }
        for index in 0..<SlotShape.errorCount {
            errors.base[index] = numbers[prepared.shape.errors + index] + noise * random.roughlyNormal()
        }
        NetworkInputs.squashErrors(1, errors.base, to: out + plain)
    }

    private func drawMask(_ mask: UnsafeMutablePointer<Float>) {
        let scale = 1 / (1 - dropout)
        for index in 0..<network.sizes.remembered {
            mask[index] = dropout > 0 && random.uniform() < dropout ? 0 : scale
        }
    }

    /// Returns the loss of the tile, and replaces its `quantiles` by the derivatives of the loss.
    private func pinball(_ slots: Int, _ scale: Float) -> Double {
        let (levels, width) = (network.sizes.quantiles, network.sizes.quantiles.count)
        var sum: Float = 0
        levels.withUnsafeBufferPointer { levels in
            for row in 0..<slots * network.sizes.horizon {
                let (target, out) = (targets.base[row], tile.quantiles + row * width)
                // A row without a target has no loss.
                let weight = target.isNaN ? 0 : scale
                let truth = target.isNaN ? 0 : target
                for index in 0..<width {
                    let difference = truth - out[index]
                    let slope = crk_pinball_slope(levels[index], difference)
                    sum += slope * difference * weight
                    out[index] = -slope * weight
                }
            }
        }
        return Double(sum)
    }
}

extension RandomSource {
    /// Approximately normal with mean 0 and variance 1, at most 3.5: a sum of four uniform numbers, which is accurate
    /// enough for noise on inputs.
    mutating func roughlyNormal() -> Float {
        let bits = next()
        let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + bits >> 48
        return (Float(sum) - 131_070) * 2.642_887e-5
    }
}

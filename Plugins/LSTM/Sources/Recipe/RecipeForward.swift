internal import CRecurrentKernels
import Forecasting
import Recurrent

/// What a network makes of the slots of prepared series: the LSTM over a chunk of every row, the decoder over the slots
/// that are scored.
final class RecipeForward {
    /// A slot that is scored: which row of the batch, at which step of the chunk.
    struct Place {
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
    /// `[batch][chunk][recurrentCount]`, with noise: the memoryless layer sees the same.
    private var recurrentInputs: [Float] = []

    /// Few enough that a tile stays in the second-level cache on its way forward and back. Changes no bit.
    static let tileSlots = 8

    /// - Parameters:
    ///   - noise: deviation of the noise on inputs.
    ///   - dropout: of what the decoder reads of state and series.
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

    /// The LSTM over the chunks of `rows`, from `state` on or from zero: `[batch, chunk, units]`; nil without an LSTM.
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
                    for place in 0..<count { to[place] = numbers[from + place] }
                }
            }
        }
        guard noise > 0 else { return }
        for place in 0..<batch * chunk * count { errors.base[place] += noise * random.roughlyNormal() }
    }

    // MARK: Scored slots

    /// How many leads of a place have a truth.
    func scoredLeads(_ place: Place, _ rows: [RecipeStreams.Row]) -> Int {
        let stream = rows[place.row]
        return prepared.series[stream.series].writeTargets(
            stream.position + place.step, horizon: network.sizes.horizon, to: targets.base)
    }

    /// The mean pinball loss over `places`, in units of the series' scales.
    ///
    /// - Parameter each: called with the places of a tile, whose `quantiles` hold the derivative of the loss by them.
    func score(
        _ places: [Place], _ rows: [RecipeStreams.Row], _ h: Tensor?, each: ([Place]) -> Void = { _ in }
    ) throws(RecurrentError) -> Double {
        let cell = try RecipeCell(network)
        let scored = max(1, places.reduce(0) { $0 + scoredLeads($1, rows) })
        let scale = 1 / Float(scored * network.sizes.quantiles.count)
        var loss = 0.0
        for from in stride(from: 0, to: places.count, by: Self.tileSlots) {
            let part = Array(places[from..<min(from + Self.tileSlots, places.count)])
            fill(part, rows, h, cell)
            cell.decoder.forward(part.count, tile)
            loss += pinball(part.count, scale)
            each(part)
        }
        return loss
    }

    /// Fills the tile with what the decoder reads of the places, and the targets.
    private func fill(_ places: [Place], _ rows: [RecipeStreams.Row], _ h: Tensor?, _ cell: RecipeCell) {
        let (sizes, shape) = (network.sizes, prepared.shape)
        for (slot, place) in places.enumerated() {
            let stream = rows[place.row]
            let series = prepared.series[stream.series]
            let index = stream.position + place.step
            _ = series.writeTargets(index, horizon: sizes.horizon, to: targets.base + slot * sizes.horizon)
            let context = tile.context + slot * sizes.context
            series.numbers.withUnsafeBufferPointer { numbers in
                guard let numbers = numbers.baseAddress else { return }
                let from = numbers + index * shape.count
                inputs.writeDecoder(
                    from, statics: context + sizes.remembered,
                    leads: tile.leads + slot * sizes.horizon * sizes.leads,
                    simple: tile.simple + slot * sizes.horizon * NetworkInputs.simpleCount)
                writeDense(from, place, to: denseInputs.base + slot * sizes.dense)
            }
            if let h {
                let from = (place.row * chunk + place.step) * sizes.units
                for unit in 0..<sizes.units { context[unit] = h.values[from + unit] }
            }
            cell.writeEmbedding(series.place, to: context + sizes.units + sizes.denseUnits)
            drawMask(masks.base + slot * sizes.remembered)
        }
        cell.runDense(places.count, denseInputs.base, to: denseOutputs.base, slopes: denseSlopes.base)
        for slot in 0..<places.count {
            let context = tile.context + slot * sizes.context
            let from = denseOutputs.base + slot * sizes.denseUnits
            for unit in 0..<sizes.denseUnits { context[sizes.units + unit] = from[unit] }
            let mask = masks.base + slot * sizes.remembered
            for place in 0..<sizes.remembered { context[place] *= mask[place] }
        }
    }

    private func writeDense(_ numbers: UnsafePointer<Float>, _ place: Place, to out: UnsafeMutablePointer<Float>) {
        let sizes = network.sizes
        inputs.writePlain(numbers, to: out)
        let plain = sizes.dense - NetworkInputs.recurrentCount
        if noise > 0 { for place in 0..<plain { out[place] += noise * random.roughlyNormal() } }
        if sizes.isRecurrent {
            let from = (place.row * chunk + place.step) * NetworkInputs.recurrentCount
            for index in 0..<NetworkInputs.recurrentCount { out[plain + index] = recurrentInputs[from + index] }
            return
        }
        for index in 0..<SlotShape.errorCount {
            errors.base[index] = numbers[prepared.shape.errors + index] + noise * random.roughlyNormal()
        }
        NetworkInputs.squashErrors(1, errors.base, to: out + plain)
    }

    private func drawMask(_ mask: UnsafeMutablePointer<Float>) {
        let kept = 1 / (1 - dropout)
        for place in 0..<network.sizes.remembered {
            mask[place] = dropout > 0 && random.uniform() < dropout ? 0 : kept
        }
    }

    /// The loss of the tile; its `quantiles` become the derivatives of it.
    private func pinball(_ slots: Int, _ scale: Float) -> Double {
        let (levels, width) = (network.sizes.quantiles, network.sizes.quantiles.count)
        var sum: Float = 0
        levels.withUnsafeBufferPointer { levels in
            for row in 0..<slots * network.sizes.horizon {
                let (target, out) = (targets.base[row], tile.quantiles + row * width)
                // A row without a target has no loss.
                let weight = target.isNaN ? 0 : scale
                let truth = target.isNaN ? 0 : target
                for place in 0..<width {
                    let difference = truth - out[place]
                    let slope = crk_pinball_slope(levels[place], difference)
                    sum += slope * difference * weight
                    out[place] = -slope * weight
                }
            }
        }
        return Double(sum)
    }
}

extension RandomSource {
    /// Mean 0, variance 1, at most 3.5: the sum of four uniform numbers. Noise on inputs needs no better normal.
    mutating func roughlyNormal() -> Float {
        let bits = next()
        let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + bits >> 48
        return (Float(sum) - 131_070) * 2.642_887e-5
    }
}

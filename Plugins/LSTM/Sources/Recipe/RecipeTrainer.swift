import Forecasting
package import Recurrent

/// Gives the gradients of one network on one group: truncated back-propagation with carried state, scored at some slots
/// of every chunk.
package final class RecipeTrainer {
    private let network: RecipeNetwork
    private let prepared: PreparedGroup
    private let inputs: NetworkInputs
    private let plan: RecipePlan
    private var random: RandomSource
    private var streams: RecipeStreams
    /// The rows of the batch that runs: the streams', or those of validation.
    private var rows: [RecipeStreams.Row] = []
    private var validationRows: [RecipeStreams.Row] = []
    /// Without noise and dropout when false.
    private var isTraining = true
    private let ends: [Int]
    private let decoderGradient: DecoderGradient
    private let tile: Decoder.Tile
    private let targets: Workspace
    private let denseInputs: Workspace
    private let denseOutputs: Workspace
    private let denseSlopes: Workspace
    private let denseGradient: Workspace
    private let masks: Workspace
    private let errors: Workspace
    /// Where the streams' chunks ended.
    private var state: LSTM.State?

    private static let tileSlots = 24

    /// A slot that is scored: which row of the batch, at which step of the chunk.
    private struct Place {
        var row: Int
        var step: Int
    }

    package init(_ network: RecipeNetwork, _ prepared: PreparedGroup, _ plan: RecipePlan, seed: UInt64) {
        (self.network, self.prepared, self.plan) = (network, prepared, plan)
        let sizes = network.sizes
        inputs = NetworkInputs(prepared.shape, squashes: sizes.squashes)
        random = RandomSource(seed: seed)
        ends = prepared.series.map { series in
            let usable = series.count - sizes.horizon
            return usable - Int(plan.validation * Double(max(0, series.count - series.first)))
        }
        streams = RecipeStreams(
            prepared.series, ends: ends, chunk: plan.chunk, batch: plan.batch, carry: sizes.isRecurrent ? plan.carry : 1
        )
        let slots = Self.tileSlots
        decoderGradient = DecoderGradient(network, slots: slots)
        tile = Decoder.Tile(slots: slots, sizes, keepsSlopes: true)
        targets = Workspace(slots * sizes.horizon)
        denseInputs = Workspace(slots * sizes.dense)
        denseOutputs = Workspace(slots * sizes.denseUnits)
        denseSlopes = Workspace(slots * sizes.denseUnits)
        denseGradient = Workspace(slots * network.dense.gradientStride)
        masks = Workspace(slots * sizes.remembered)
        errors = Workspace(plan.batch * streams.chunk * SlotShape.errorCount)
        if plan.validation > 0 { validationRows = makeValidationRows() }
    }

    /// Rows that end in what training may not learn, spread evenly over series and time.
    private func makeValidationRows() -> [RecipeStreams.Row] {
        let usable = prepared.series.indices.filter {
            prepared.series[$0].count - network.sizes.horizon > max(ends[$0], streams.chunk)
        }
        guard !usable.isEmpty else { return [] }
        let each = max(1, plan.batch / usable.count)
        return (0..<plan.batch).map { row in
            let series =
                usable.count > plan.batch ? usable[row * usable.count / plan.batch] : usable[row % usable.count]
            let last = prepared.series[series].count - network.sizes.horizon - streams.chunk
            let first = min(last, max(0, ends[series] - streams.settling))
            let turn = usable.count > plan.batch ? 0 : row / usable.count
            return RecipeStreams.Row(
                series: series, position: last - (last - first) * (turn % each) / each, left: 1, isFresh: true)
        }
    }

    /// The loss over the last part of the series; nil without one.
    func validationLoss() throws(RecurrentError) -> Double? {
        guard !validationRows.isEmpty else { return nil }
        (rows, isTraining) = (validationRows, false)
        defer { isTraining = true }
        let cell = try RecipeCell(network)
        let h = try runRecurrent()
        let places = rows.indices.flatMap { row in
            (0..<plan.positions).map { number in
                let span = streams.chunk - streams.settling
                return Place(row: row, step: streams.settling + (number * span + span / 2) / plan.positions)
            }
        }.filter { rows[$0.row].position + $0.step >= ends[rows[$0.row].series] && scoredLeads($0) > 0 }
        guard !places.isEmpty else { return nil }
        let scored = places.reduce(0) { $0 + scoredLeads($1) }
        var loss = 0.0
        for from in stride(from: 0, to: places.count, by: Self.tileSlots) {
            let part = Array(places[from..<min(from + Self.tileSlots, places.count)])
            fill(part, h, cell)
            cell.decoder.forward(part.count, tile)
            loss += pinball(part.count, 1 / Float(scored * network.sizes.quantiles.count))
        }
        return loss
    }

    /// The parameters that a step moves.
    var parameters: [Parameter] { network.parameters }
    /// Those among them that other groups do not share.
    var memberEmbeddings: Parameter { network.members.parameter }

    /// Forward and backward over one chunk of every stream: sets all gradients and returns the loss, the mean pinball loss
    /// in units of the series' scales.
    package func gradients() throws(RecurrentError) -> Double {
        streams.next(&random)
        rows = streams.rows
        let cell = try RecipeCell(network)
        let h = try runRecurrent()
        let places = choosePlaces()
        var dH = [Float](repeating: 0, count: h?.values.count ?? 0)
        decoderGradient.begin()
        network.dense.beginGradients()
        network.members.clearGradient()
        let scored = max(1, places.reduce(0) { $0 + scoredLeads($1) })
        let scale = 1 / Float(scored * network.sizes.quantiles.count)
        var loss = 0.0
        for from in stride(from: 0, to: places.count, by: Self.tileSlots) {
            let part = Array(places[from..<min(from + Self.tileSlots, places.count)])
            fill(part, h, cell)
            cell.decoder.forward(part.count, tile)
            loss += pinball(part.count, scale)
            decoderGradient.backward(part.count, tile)
            spreadContext(part, &dH)
        }
        decoderGradient.finish()
        network.dense.finishGradients()
        if let h { _ = try network.lstm?.backward(Tensor(shape: h.shape, values: dH), wantsInputGradient: false) }
        return loss
    }

    private var noise: Float { isTraining ? plan.noise : 0 }

    // MARK: The recurrent part

    /// The LSTM over the chunk: `[batch, chunk, units]`.
    private func runRecurrent() throws(RecurrentError) -> Tensor? {
        guard let lstm = network.lstm else { return nil }
        let (batch, chunk, count) = (plan.batch, streams.chunk, SlotShape.errorCount)
        for (row, stream) in rows.enumerated() {
            prepared.series[stream.series].numbers.withUnsafeBufferPointer { numbers in
                for step in 0..<chunk {
                    let from = (stream.position + step) * prepared.shape.count + prepared.shape.errors
                    let to = errors.base + (row * chunk + step) * count
                    for place in 0..<count { to[place] = numbers[from + place] }
                }
            }
        }
        if noise > 0 {
            for place in 0..<batch * chunk * count { errors.base[place] += noise * random.roughlyNormal() }
        }
        let x = [Float](unsafeUninitializedCapacity: batch * chunk * NetworkInputs.recurrentCount) { out, filled in
            filled = batch * chunk * NetworkInputs.recurrentCount
            if let out = out.baseAddress { NetworkInputs.squashErrors(batch * chunk, errors.base, to: out) }
        }
        recurrentInputs = x
        try begin(lstm)
        let h = try lstm.forward(
            Tensor(shape: [batch, chunk, NetworkInputs.recurrentCount], values: x), mask: nil, training: true)
        if isTraining { state = lstm.state }
        return h
    }

    /// `[batch][chunk][recurrentCount]`, with noise: the memoryless layer sees the same.
    private var recurrentInputs: [Float] = []

    /// Lets the layer go on from this trainer's states, rows that start anew from zero: groups that share a network run
    /// streams of their own.
    private func begin(_ lstm: LSTM) throws(RecurrentError) {
        guard isTraining, let state else { return lstm.resetStates() }
        let units = network.sizes.units
        var (h, c) = (state.h.values, state.c.values)
        for (row, stream) in rows.enumerated() where stream.isFresh {
            for unit in row * units..<(row + 1) * units { (h[unit], c[unit]) = (0, 0) }
        }
        try lstm.resetStates(
            to: LSTM.State(
                h: Tensor(shape: state.h.shape, values: h), c: Tensor(shape: state.c.shape, values: c)))
    }

    // MARK: Scored slots

    /// Slots of a chunk that are scored: fewer where the horizon is longer than a day of hours, for each costs as much as it
    /// has leads.
    private var positions: Int {
        max(min(2, plan.positions), min(plan.positions, plan.positions * 24 / network.sizes.horizon))
    }

    private func choosePlaces() -> [Place] {
        var places: [Place] = []
        for (row, stream) in rows.enumerated() {
            let first = stream.isFresh && network.sizes.isRecurrent ? streams.settling : 0
            for _ in 0..<positions {
                places.append(Place(row: row, step: first + Int(random.next() % UInt64(streams.chunk - first))))
            }
        }
        return places.filter { scoredLeads($0) > 0 }
    }

    private func scoredLeads(_ place: Place) -> Int {
        let stream = rows[place.row]
        return prepared.series[stream.series].writeTargets(
            stream.position + place.step, horizon: network.sizes.horizon, to: targets.base)
    }

    /// Fills the tile with what the decoder reads of the places, and the targets.
    private func fill(_ places: [Place], _ h: Tensor?, _ cell: RecipeCell) {
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
                let from = (place.row * streams.chunk + place.step) * sizes.units
                for unit in 0..<sizes.units { context[unit] = h.values[from + unit] }
            }
            cell.writeEmbedding(series.place, to: context + sizes.units + sizes.denseUnits)
        }
        cell.runDense(places.count, denseInputs.base, to: denseOutputs.base, slopes: denseSlopes.base)
        for slot in 0..<places.count {
            let context = tile.context + slot * sizes.context
            let from = denseOutputs.base + slot * sizes.denseUnits
            for unit in 0..<sizes.denseUnits { context[sizes.units + unit] = from[unit] }
            if isTraining { dropOut(context, masks.base + slot * sizes.remembered) }
        }
    }

    private func writeDense(_ numbers: UnsafePointer<Float>, _ place: Place, to out: UnsafeMutablePointer<Float>) {
        let sizes = network.sizes
        inputs.writePlain(numbers, to: out)
        let plain = sizes.dense - NetworkInputs.recurrentCount
        if noise > 0 { for place in 0..<plain { out[place] += noise * random.roughlyNormal() } }
        if sizes.isRecurrent {
            let from = (place.row * streams.chunk + place.step) * NetworkInputs.recurrentCount
            for index in 0..<NetworkInputs.recurrentCount { out[plain + index] = recurrentInputs[from + index] }
            return
        }
        for index in 0..<SlotShape.errorCount {
            errors.base[index] = numbers[prepared.shape.errors + index] + noise * random.roughlyNormal()
        }
        NetworkInputs.squashErrors(1, errors.base, to: out + plain)
    }

    private func dropOut(_ context: UnsafeMutablePointer<Float>, _ mask: UnsafeMutablePointer<Float>) {
        let kept = 1 / (1 - plan.dropout)
        for place in 0..<network.sizes.remembered {
            mask[place] = plan.dropout > 0 && random.uniform() < plan.dropout ? 0 : kept
            context[place] *= mask[place]
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
                    let slope = difference > 0 ? -levels[place] : 1 - levels[place]
                    sum -= slope * difference * weight
                    out[place] = slope * weight
                }
            }
        }
        return Double(sum)
    }

    /// Carries the derivative by the contexts on to h, the memoryless layer and the embeddings.
    private func spreadContext(_ places: [Place], _ dH: inout [Float]) {
        let (sizes, stride) = (network.sizes, network.dense.gradientStride)
        for (slot, place) in places.enumerated() {
            let d = decoderGradient.dContext.base + slot * sizes.context
            let mask = masks.base + slot * sizes.remembered
            for index in 0..<sizes.remembered { d[index] *= mask[index] }
            if sizes.isRecurrent {
                let to = (place.row * streams.chunk + place.step) * sizes.units
                for unit in 0..<sizes.units { dH[to + unit] += d[unit] }
            }
            let slopes = denseSlopes.base + slot * sizes.denseUnits
            let dDense = denseGradient.base + slot * stride
            for unit in 0..<sizes.denseUnits { dDense[unit] = d[sizes.units + unit] * slopes[unit] }
            let member = prepared.series[rows[place.row].series].place
            network.members.addGradient(member, d + sizes.units + sizes.denseUnits)
        }
        network.dense.addGradients(
            rows: places.count, denseInputs.base, stride: sizes.dense, denseGradient.base)
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

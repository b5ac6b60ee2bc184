import Forecasting
package import Recurrent

/// Gives the gradients of one network on one group: truncated back-propagation with carried state, scored at some slots
/// of every chunk.
package final class RecipeTrainer {
    private let network: RecipeNetwork
    private let prepared: PreparedGroup
    private let plan: RecipePlan
    private let forward: RecipeForward
    private let validation: RecipeValidation?
    private var streams: RecipeStreams
    private let decoderGradient: DecoderGradient
    private let denseGradient: Workspace
    /// Where the streams' chunks ended.
    private var state: LSTM.State?

    package init(_ network: RecipeNetwork, _ prepared: PreparedGroup, _ plan: RecipePlan, seed: UInt64) {
        (self.network, self.prepared, self.plan) = (network, prepared, plan)
        let sizes = network.sizes
        let ends = prepared.series.map { series in
            let usable = series.count - sizes.horizon
            return usable - Int(plan.validation * Double(max(0, series.count - series.first)))
        }
        streams = RecipeStreams(
            prepared.series, ends: ends, chunk: plan.chunk, batch: plan.batch, carry: sizes.isRecurrent ? plan.carry : 1
        )
        forward = RecipeForward(
            network, prepared, batch: plan.batch, chunk: streams.chunk, noise: plan.noise, dropout: plan.dropout,
            seed: seed)
        validation = RecipeValidation(network, prepared, plan, after: ends, settling: streams.settling, streams.chunk)
        decoderGradient = DecoderGradient(network, slots: RecipeForward.tileSlots)
        denseGradient = Workspace(RecipeForward.tileSlots * network.dense.gradientStride)
    }

    /// The loss over the last part of the series; nil without one.
    func validationLoss() throws(RecurrentError) -> Double? { try validation?.loss() }

    /// The parameters that a step moves.
    var parameters: [Parameter] { network.parameters }
    /// Those among them that other groups do not share.
    var memberEmbeddings: Parameter { network.members.parameter }

    /// Forward and backward over one chunk of every stream: sets all gradients and returns the loss, the mean pinball loss
    /// in units of the series' scales.
    package func gradients() throws(RecurrentError) -> Double {
        streams.next(&forward.random)
        let h = try forward.runRecurrent(streams.rows, from: carriedState())
        if let lstm = network.lstm { state = lstm.state }
        let places = choosePlaces()
        var dH = [Float](repeating: 0, count: h?.values.count ?? 0)
        decoderGradient.begin()
        network.dense.beginGradients()
        network.members.clearGradient()
        let loss = try forward.score(places, streams.rows, h) { part in
            decoderGradient.backward(part.count, forward.tile)
            spreadContext(part, &dH)
        }
        decoderGradient.finish()
        network.dense.finishGradients()
        if let h { _ = try network.lstm?.backward(Tensor(shape: h.shape, values: dH), wantsInputGradient: false) }
        return loss
    }

    /// This trainer's states, rows that start anew from zero: groups that share a network run streams of their own.
    private func carriedState() throws(RecurrentError) -> LSTM.State? {
        guard let state else { return nil }
        let units = network.sizes.units
        var (h, c) = (state.h.values, state.c.values)
        for (row, stream) in streams.rows.enumerated() where stream.isFresh {
            for unit in row * units..<(row + 1) * units { (h[unit], c[unit]) = (0, 0) }
        }
        return LSTM.State(
            h: try Tensor(shape: state.h.shape, values: h), c: try Tensor(shape: state.c.shape, values: c))
    }

    /// Slots of a chunk that are scored: fewer where the horizon is longer than a day of hours, for each costs as much as it
    /// has leads.
    private var positions: Int {
        max(min(2, plan.positions), min(plan.positions, plan.positions * 24 / network.sizes.horizon))
    }

    private func choosePlaces() -> [RecipeForward.Place] {
        var places: [RecipeForward.Place] = []
        for (row, stream) in streams.rows.enumerated() {
            let first = stream.isFresh && network.sizes.isRecurrent ? streams.settling : 0
            for _ in 0..<positions {
                let step = first + Int(forward.random.next() % UInt64(streams.chunk - first))
                places.append(RecipeForward.Place(row: row, step: step))
            }
        }
        return places.filter { forward.scoredLeads($0, streams.rows) > 0 }
    }

    /// Carries the derivative by the contexts on to h, the memoryless layer and the embeddings.
    private func spreadContext(_ places: [RecipeForward.Place], _ dH: inout [Float]) {
        let (sizes, stride) = (network.sizes, network.dense.gradientStride)
        for (slot, place) in places.enumerated() {
            let d = decoderGradient.dContext.base + slot * sizes.context
            let mask = forward.masks.base + slot * sizes.remembered
            for index in 0..<sizes.remembered { d[index] *= mask[index] }
            if sizes.isRecurrent {
                let to = (place.row * streams.chunk + place.step) * sizes.units
                for unit in 0..<sizes.units { dH[to + unit] += d[unit] }
            }
            let slopes = forward.denseSlopes.base + slot * sizes.denseUnits
            let dDense = denseGradient.base + slot * stride
            for unit in 0..<sizes.denseUnits { dDense[unit] = d[sizes.units + unit] * slopes[unit] }
            let member = prepared.series[streams.rows[place.row].series].place
            network.members.addGradient(member, d + sizes.units + sizes.denseUnits)
        }
        network.dense.addGradients(
            rows: places.count, forward.denseInputs.base, stride: sizes.dense, denseGradient.base)
    }
}

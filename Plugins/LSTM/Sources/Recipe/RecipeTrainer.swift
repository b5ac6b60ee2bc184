import Forecasting
package import Recurrent

/// Computes the gradients of one network on one group: truncated backpropagation with carried state, scored at some
/// slots of every chunk.
package final class RecipeTrainer {
    private let network: RecipeNetwork
    private let prepared: PreparedGroup
    private let plan: RecipePlan
    private let forward: RecipeForward
    private let validation: RecipeValidation?
    private var streams: RecipeStreams
    private let decoderGradient: DecoderGradient
    private let denseGradient: Workspace
    /// The states at the end of the streams' previous chunks.
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
        validation = RecipeValidation(network, prepared, plan, after: ends, burnIn: streams.burnIn, streams.chunk)
        decoderGradient = DecoderGradient(network, slots: RecipeForward.tileSlots)
        denseGradient = Workspace(RecipeForward.tileSlots * network.dense.gradientStride)
    }

    /// The loss on the validation part of the series; nil without one.
    func validationLoss() throws(RecurrentError) -> Double? { try validation?.loss() }

    /// The parameters that a step updates.
    var parameters: [Parameter] { network.parameters }
    /// The parameters among them that are not shared between groups.
    var memberEmbeddings: Parameter { network.members.parameter }

    /// Runs forward and backward over one chunk of every stream, and sets all gradients.
    ///
    /// - Returns: the mean pinball loss in units of the series' scales.
    package func gradients() throws(RecurrentError) -> Double {
        streams.next(&forward.random)
        let h = try forward.runRecurrent(streams.rows, from: carriedState())
        if let lstm = network.lstm { state = lstm.state }
        let positions = choosePositions()
        var dH = [Float](repeating: 0, count: h?.values.count ?? 0)
        decoderGradient.begin()
        network.dense.beginGradients()
        network.members.clearGradient()
        let loss = try forward.score(positions, streams.rows, h) { part in
            decoderGradient.backward(part.count, forward.tile)
            propagateContext(part, &dH)
        }
        decoderGradient.finish()
        network.dense.finishGradients()
        if let h { _ = try network.lstm?.backward(Tensor(shape: h.shape, values: dH), wantsInputGradient: false) }
        return loss
    }

    /// The states of this trainer's streams, with those of restarted rows set to zero: groups that share a network run
    /// separate streams.
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

    /// The number of scored slots per chunk: fewer for horizons beyond 24 leads, because the cost of each grows with
    /// the number of leads.
    private var positionsPerChunk: Int {
        max(min(2, plan.positions), min(plan.positions, plan.positions * 24 / network.sizes.horizon))
    }

    private func choosePositions() -> [RecipeForward.Position] {
        var positions: [RecipeForward.Position] = []
        for (row, stream) in streams.rows.enumerated() {
            let first = stream.isFresh && network.sizes.isRecurrent ? streams.burnIn : 0
            for _ in 0..<positionsPerChunk {
                let step = first + Int(forward.random.next() % UInt64(streams.chunk - first))
                positions.append(RecipeForward.Position(row: row, step: step))
            }
        }
        return positions.filter { forward.scoredLeads($0, streams.rows) > 0 }
    }

    /// Propagates the derivative with respect to the contexts to h, the memoryless layer and the embeddings.
    private func propagateContext(_ positions: [RecipeForward.Position], _ dH: inout [Float]) {
        let (sizes, stride) = (network.sizes, network.dense.gradientStride)
        for (slot, position) in positions.enumerated() {
            let d = decoderGradient.dContext.base + slot * sizes.context
            let mask = forward.masks.base + slot * sizes.remembered
            for index in 0..<sizes.remembered { d[index] *= mask[index] }
            if sizes.isRecurrent {
                let to = (position.row * streams.chunk + position.step) * sizes.units
                for unit in 0..<sizes.units { dH[to + unit] += d[unit] }
            }
            let slopes = forward.denseSlopes.base + slot * sizes.denseUnits
            let dDense = denseGradient.base + slot * stride
            for unit in 0..<sizes.denseUnits { dDense[unit] = d[sizes.units + unit] * slopes[unit] }
            let member = prepared.series[streams.rows[position.row].series].memberRow
            network.members.addGradient(member, d + sizes.units + sizes.denseUnits)
        }
        network.dense.addGradients(
            rows: positions.count, forward.denseInputs.base, stride: sizes.dense, denseGradient.base)
    }
}

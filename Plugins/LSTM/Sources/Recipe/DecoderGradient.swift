import Recurrent

/// The backward pass of the decoder, tile by tile.
final class DecoderGradient {
    private let network: RecipeNetwork
    private let sizes: NetworkSizes
    private let dRaw: Workspace
    private let dSecond: Workspace
    private let dFirst: Workspace
    private let dHidden: Workspace
    private let dShared: Workspace
    private let location: Workspace
    private let rowSums: Workspace
    private let leadSums: Workspace
    private let staticSums: Workspace
    /// `[slots][context]`: the derivative with respect to the context of the last tile.
    let dContext: Workspace

    init(_ network: RecipeNetwork, slots: Int) {
        self.network = network
        sizes = network.sizes
        let rows = slots * sizes.horizon
        dRaw = Workspace(rows * network.outputs.gradientStride)
        dSecond = Workspace(rows * sizes.decoderUnits)
        dFirst = Workspace(rows * network.leads.gradientStride)
        dHidden = Workspace(rows * network.hidden.gradientStride)
        dShared = Workspace(slots * network.context.gradientStride)
        location = Workspace(rows)
        rowSums = Workspace(sizes.horizon * sizes.decoderUnits)
        leadSums = Workspace(sizes.leads)
        staticSums = Workspace(NetworkInputs.staticCount)
        dContext = Workspace(slots * sizes.context)
    }

    func begin() {
        for part in [network.context, network.leads, network.hidden, network.outputs] { part.beginGradients() }
        for sums in [rowSums, leadSums, staticSums] { sums.base.update(repeating: 0, count: sums.count) }
    }

    /// Writes the accumulated sums to the parameters' gradients.
    func finish() {
        for part in [network.context, network.leads, network.hidden, network.outputs] { part.finishGradients() }
        network.leadRows.clearGradient()
        for lead in 0..<sizes.horizon { network.leadRows.addGradient(lead, rowSums.base + lead * sizes.decoderUnits) }
        for (skip, sums) in [(network.leadSkip, leadSums), (network.staticSkip, staticSums)] {
            skip.clearGradient()
            skip.addGradient(from: 0, sums.count, sums.base)
        }
    }

    /// Accumulates the gradients of one tile, whose `quantiles` now contain the derivative of the loss with respect to
    /// them.
    func backward(_ slots: Int, _ tile: Decoder.Tile) {
        let (rows, width, horizon) = (slots * sizes.horizon, sizes.decoderUnits, sizes.horizon)
        outputGradients(rows, tile)
        network.outputs.addGradients(rows: rows, tile.second, stride: width, dRaw.base)
        network.outputs.inputGradient(rows: rows, dRaw.base, to: dSecond.base, stride: width)
        multiply(rows, width, dSecond.base, times: tile.secondSlopes, to: dHidden.base, network.hidden.gradientStride)
        network.hidden.addGradients(rows: rows, tile.first, stride: width, dHidden.base)
        // The derivative with respect to z1 comes through the hidden layer and around it.
        network.hidden.inputGradient(rows: rows, dHidden.base, to: tile.second, stride: width)
        for index in 0..<rows * width { dSecond.base[index] += tile.second[index] }
        multiply(rows, width, dSecond.base, times: tile.firstSlopes, to: dFirst.base, network.leads.gradientStride)
        network.leads.addGradients(rows: rows, tile.leads, stride: sizes.leads, dFirst.base)
        sumLeads(slots, horizon, width)
        skipGradients(slots, tile)
        network.context.addGradients(rows: slots, tile.context, stride: sizes.context, dShared.base)
        network.context.inputGradient(rows: slots, dShared.base, to: dContext.base, stride: sizes.context)
    }

    private func outputGradients(_ rows: Int, _ tile: Decoder.Tile) {
        let (count, quantiles, stride) = (
            NetworkInputs.simpleCount, sizes.quantiles.count, network.outputs.gradientStride
        )
        for row in 0..<rows {
            let (from, to) = (tile.quantiles + row * quantiles, dRaw.base + row * stride)
            var sum: Float = 0
            for index in 0..<quantiles {
                to[index] = from[index]
                sum += from[index]
            }
            location.base[row] = sum
            let (gate, simple) = (tile.gate + row * count, tile.simple + row * count)
            var mean: Float = 0
            for index in 0..<count { mean += gate[index] * simple[index] }
            for index in 0..<count { to[quantiles + index] = sum * gate[index] * (simple[index] - mean) }
        }
    }

    private func multiply(
        _ rows: Int, _ width: Int, _ d: UnsafePointer<Float>, times slopes: UnsafePointer<Float>,
        to out: UnsafeMutablePointer<Float>, _ stride: Int
    ) {
        for row in 0..<rows {
            let (to, d, slopes) = (out + row * stride, d + row * width, slopes + row * width)
            for unit in 0..<width { to[unit] = d[unit] * slopes[unit] }
        }
    }

    /// Sums the derivatives of the first layer over leads, and over slots.
    private func sumLeads(_ slots: Int, _ horizon: Int, _ width: Int) {
        let (stride, sharedStride) = (network.leads.gradientStride, network.context.gradientStride)
        for slot in 0..<slots {
            let shared = dShared.base + slot * sharedStride
            for unit in 0..<width { shared[unit] = 0 }
            for lead in 0..<horizon {
                let from = dFirst.base + (slot * horizon + lead) * stride
                let sums = rowSums.base + lead * width
                for unit in 0..<width {
                    shared[unit] += from[unit]
                    sums[unit] += from[unit]
                }
            }
        }
    }

    private func skipGradients(_ slots: Int, _ tile: Decoder.Tile) {
        for slot in 0..<slots {
            var sum: Float = 0
            for row in slot * sizes.horizon..<(slot + 1) * sizes.horizon {
                let (d, leads) = (location.base[row], tile.leads + row * sizes.leads)
                sum += d
                for index in 0..<sizes.leads { leadSums.base[index] += d * leads[index] }
            }
            let statics = tile.context + slot * sizes.context + sizes.remembered
            for index in 0..<NetworkInputs.staticCount { staticSums.base[index] += sum * statics[index] }
        }
    }
}

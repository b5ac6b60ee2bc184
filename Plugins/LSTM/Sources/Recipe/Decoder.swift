import Recurrent

/// The decoder that all leads share, ready to run: from a slot's context and a lead's features to quantiles.
///
///     z1 = silu(context·C + leads·L + leadRow)     z2 = z1 + silu(z1·H)     o = z2·O
///     quantile = o + Σ softmax(gate)·simple + skip
struct Decoder: Sendable {
    let sizes: NetworkSizes
    private let context: DenseCell
    private let leads: DenseCell
    private let hidden: DenseCell
    private let outputs: DenseCell
    private let leadRows: [Float]
    private let leadSkip: [Float]
    private let staticSkip: [Float]

    init(_ network: RecipeNetwork) throws(RecurrentError) {
        sizes = network.sizes
        context = try network.context.cell()
        leads = try network.leads.cell()
        hidden = try network.hidden.cell()
        outputs = try network.outputs.cell()
        leadRows = network.leadRows.parameter.values
        leadSkip = network.leadSkip.values
        staticSkip = network.staticSkip.values
    }

    /// The arrays of one tile of slots; `n` slots, `N` = n · horizon rows.
    final class Tile {
        /// `[n][context]`: h, memoryless layer, series, statics.
        let context: UnsafeMutablePointer<Float>
        /// `[N][leads]`.
        let leads: UnsafeMutablePointer<Float>
        /// `[N][5]`: the simple forecasts.
        let simple: UnsafeMutablePointer<Float>
        /// `[N][5]`: what the gate makes of them.
        let gate: UnsafeMutablePointer<Float>
        /// `[N][decoderUnits]` each.
        let first: UnsafeMutablePointer<Float>
        let second: UnsafeMutablePointer<Float>
        let firstSlopes: UnsafeMutablePointer<Float>
        let secondSlopes: UnsafeMutablePointer<Float>
        /// `[n][decoderUnits]`.
        let shared: UnsafeMutablePointer<Float>
        /// `[N][outputs]`.
        let raw: UnsafeMutablePointer<Float>
        /// `[N][quantiles]`.
        let quantiles: UnsafeMutablePointer<Float>
        let keepsSlopes: Bool
        private let room: Workspace

        init(slots: Int, _ sizes: NetworkSizes, keepsSlopes: Bool) {
            let (rows, width) = (slots * sizes.horizon, sizes.decoderUnits)
            let simple = NetworkInputs.simpleCount
            let counts = [
                slots * sizes.context, rows * sizes.leads, rows * simple, rows * simple, rows * width, rows * width,
                keepsSlopes ? rows * width : 0, keepsSlopes ? rows * width : 0, slots * width, rows * sizes.outputs,
                rows * sizes.quantiles.count,
            ].map { ($0 + 15) / 16 * 16 }
            let room = Workspace(counts.reduce(0, +))
            var places: [UnsafeMutablePointer<Float>] = []
            var next = room.base
            for count in counts {
                places.append(next)
                next += count
            }
            self.room = room
            self.keepsSlopes = keepsSlopes
            (context, leads, self.simple, gate) = (places[0], places[1], places[2], places[3])
            (first, second, firstSlopes, secondSlopes) = (places[4], places[5], places[6], places[7])
            (shared, raw, quantiles) = (places[8], places[9], places[10])
        }
    }

    /// Fills the tile's outputs for `slots` slots from its context, leads and simple forecasts, or from those of another.
    func forward(
        _ slots: Int, _ tile: Tile, leads given: UnsafePointer<Float>? = nil, simple: UnsafePointer<Float>? = nil
    ) {
        let given = given ?? UnsafePointer(tile.leads)
        let (rows, width, horizon) = (slots * sizes.horizon, sizes.decoderUnits, sizes.horizon)
        context.forward(rows: slots, x: tile.context, xStride: sizes.context, y: tile.shared)
        leads.forward(rows: rows, x: given, xStride: sizes.leads, y: tile.first)
        leadRows.withUnsafeBufferPointer { leadRows in
            guard let leadRows = leadRows.baseAddress else { return }
            for slot in 0..<slots {
                let shared = tile.shared + slot * width
                for lead in 0..<horizon {
                    let (row, own) = (tile.first + (slot * horizon + lead) * width, leadRows + lead * width)
                    for unit in 0..<width { row[unit] += shared[unit] + own[unit] }
                }
            }
        }
        let kernels = Kernels.best
        kernels.apply(
            .silu, rows * width, tile.first, to: tile.first, slopes: tile.keepsSlopes ? tile.firstSlopes : nil)
        hidden.forward(rows: rows, x: tile.first, xStride: width, y: tile.second)
        kernels.apply(
            .silu, rows * width, tile.second, to: tile.second, slopes: tile.keepsSlopes ? tile.secondSlopes : nil)
        for place in 0..<rows * width { tile.second[place] += tile.first[place] }
        outputs.forward(rows: rows, x: tile.second, xStride: width, y: tile.raw)
        weighGates(rows, tile)
        locate(slots, tile, given, simple ?? UnsafePointer(tile.simple))
    }

    /// Softmax over the last five outputs of every row.
    private func weighGates(_ rows: Int, _ tile: Tile) {
        let (count, quantiles) = (NetworkInputs.simpleCount, sizes.quantiles.count)
        for row in 0..<rows {
            let (from, to) = (tile.raw + row * sizes.outputs + quantiles, tile.gate + row * count)
            var most = from[0]
            for place in 1..<count { most = max(most, from[place]) }
            for place in 0..<count { to[place] = from[place] - most }
        }
        Kernels.best.exp(rows * count, tile.gate, to: tile.gate)
        for row in 0..<rows {
            let gate = tile.gate + row * count
            var sum: Float = 0
            for place in 0..<count { sum += gate[place] }
            let factor = 1 / sum
            for place in 0..<count { gate[place] *= factor }
        }
    }

    private func locate(
        _ slots: Int, _ tile: Tile, _ allLeads: UnsafePointer<Float>, _ allSimple: UnsafePointer<Float>
    ) {
        let (count, quantiles, horizon) = (NetworkInputs.simpleCount, sizes.quantiles.count, sizes.horizon)
        leadSkip.withUnsafeBufferPointer { leadSkip in
            for slot in 0..<slots {
                let statics = tile.context + slot * sizes.context + sizes.remembered
                var fixed: Float = 0
                for place in staticSkip.indices { fixed += statics[place] * staticSkip[place] }
                for row in slot * horizon..<(slot + 1) * horizon {
                    let (leads, gate, simple) = (
                        allLeads + row * sizes.leads, tile.gate + row * count, allSimple + row * count
                    )
                    var location = fixed
                    for place in 0..<sizes.leads { location += leads[place] * leadSkip[place] }
                    for place in 0..<count { location += gate[place] * simple[place] }
                    let (raw, out) = (tile.raw + row * sizes.outputs, tile.quantiles + row * quantiles)
                    for place in 0..<quantiles { out[place] = raw[place] + location }
                }
            }
        }
    }
}

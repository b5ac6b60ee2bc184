import Recurrent

/// The decoder shared by all leads, ready to run: it maps a slot's context and a lead's features to quantiles.
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

    /// The arrays for one tile of slots; `n` is the number of slots, and `N` = n · horizon the number of rows.
    final class Tile {
        /// `[n][context]`: h, memoryless layer, series, statics.
        let context: UnsafeMutablePointer<Float>
        /// `[N][leads]`.
        let leads: UnsafeMutablePointer<Float>
        /// `[N][5]`: the simple forecasts.
        let simple: UnsafeMutablePointer<Float>
        /// `[N][5]`: the gate's weights for them.
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
        private let storage: Workspace

        init(slots: Int, _ sizes: NetworkSizes, keepsSlopes: Bool) {
            let (rows, width) = (slots * sizes.horizon, sizes.decoderUnits)
            let simple = NetworkInputs.simpleCount
            let counts = [
                slots * sizes.context, rows * sizes.leads, rows * simple, rows * simple, rows * width, rows * width,
                keepsSlopes ? rows * width : 0, keepsSlopes ? rows * width : 0, slots * width, rows * sizes.outputs,
                rows * sizes.quantiles.count,
            ].map { ($0 + 15) / 16 * 16 }
            let storage = Workspace(counts.reduce(0, +))
            var arrays: [UnsafeMutablePointer<Float>] = []
            var next = storage.base
            for count in counts {
                arrays.append(next)
                next += count
            }
            self.storage = storage
            self.keepsSlopes = keepsSlopes
            (context, leads, self.simple, gate) = (arrays[0], arrays[1], arrays[2], arrays[3])
            (first, second, firstSlopes, secondSlopes) = (arrays[4], arrays[5], arrays[6], arrays[7])
            (shared, raw, quantiles) = (arrays[8], arrays[9], arrays[10])
        }
    }

    /// Computes the tile's outputs for `slots` slots from its context and either its own leads and simple forecasts or
    /// those given.
    func forward(
        _ slots: Int, _ tile: Tile, leads leadInputs: UnsafePointer<Float>? = nil, simple: UnsafePointer<Float>? = nil
    ) {
        let leadInputs = leadInputs ?? UnsafePointer(tile.leads)
        let (rows, width, horizon) = (slots * sizes.horizon, sizes.decoderUnits, sizes.horizon)
        context.forward(rows: slots, x: tile.context, xStride: sizes.context, y: tile.shared)
        leads.forward(rows: rows, x: leadInputs, xStride: sizes.leads, y: tile.first)
        leadRows.withUnsafeBufferPointer { leadRows in
            guard let leadRows = leadRows.baseAddress else { return }
            for slot in 0..<slots {
                let shared = tile.shared + slot * width
                for lead in 0..<horizon {
                    let (row, leadRow) = (tile.first + (slot * horizon + lead) * width, leadRows + lead * width)
                    for unit in 0..<width { row[unit] += shared[unit] + leadRow[unit] }
                }
            }
        }
        let kernels = Kernels.best
        kernels.apply(
            .silu, rows * width, tile.first, to: tile.first, slopes: tile.keepsSlopes ? tile.firstSlopes : nil)
        hidden.forward(rows: rows, x: tile.first, xStride: width, y: tile.second)
        kernels.apply(
            .silu, rows * width, tile.second, to: tile.second, slopes: tile.keepsSlopes ? tile.secondSlopes : nil)
        for index in 0..<rows * width { tile.second[index] += tile.first[index] }
        outputs.forward(rows: rows, x: tile.second, xStride: width, y: tile.raw)
        applySoftmax(rows, tile)
        addLocation(slots, tile, leadInputs, simple ?? UnsafePointer(tile.simple))
    }

    /// Softmax over the last five outputs of every row.
    private func applySoftmax(_ rows: Int, _ tile: Tile) {
        let (count, quantiles) = (NetworkInputs.simpleCount, sizes.quantiles.count)
        for row in 0..<rows {
            let (from, to) = (tile.raw + row * sizes.outputs + quantiles, tile.gate + row * count)
            var maximum = from[0]
            for index in 1..<count { maximum = max(maximum, from[index]) }
            for index in 0..<count { to[index] = from[index] - maximum }
        }
        Kernels.best.exp(rows * count, tile.gate, to: tile.gate)
        for row in 0..<rows {
            let gate = tile.gate + row * count
            var sum: Float = 0
            for index in 0..<count { sum += gate[index] }
            let factor = 1 / sum
            for index in 0..<count { gate[index] *= factor }
        }
    }

    private func addLocation(
        _ slots: Int, _ tile: Tile, _ allLeads: UnsafePointer<Float>, _ allSimple: UnsafePointer<Float>
    ) {
        let (count, quantiles, horizon) = (NetworkInputs.simpleCount, sizes.quantiles.count, sizes.horizon)
        leadSkip.withUnsafeBufferPointer { leadSkip in
            for slot in 0..<slots {
                let statics = tile.context + slot * sizes.context + sizes.remembered
                var fixed: Float = 0
                for index in staticSkip.indices { fixed += statics[index] * staticSkip[index] }
                for row in slot * horizon..<(slot + 1) * horizon {
                    let (leads, gate, simple) = (
                        allLeads + row * sizes.leads, tile.gate + row * count, allSimple + row * count
                    )
                    var location = fixed
                    for index in 0..<sizes.leads { location += leads[index] * leadSkip[index] }
                    for index in 0..<count { location += gate[index] * simple[index] }
                    let (raw, out) = (tile.raw + row * sizes.outputs, tile.quantiles + row * quantiles)
                    for index in 0..<quantiles { out[index] = raw[index] + location }
                }
            }
        }
    }
}

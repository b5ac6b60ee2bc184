import Forecasting
import LinearARForecaster
import Recurrent
import TimeSeries

/// The scratch memory of one group, and the step of a tile of its rows.
///
/// Only one call of `advance` uses it at a time, which makes it Sendable: between calls it is in the model's pool,
/// behind a lock.
final class RecipePass: @unchecked Sendable {
    /// The number of rows that run together, so that their numbers stay in the nearest caches.
    static let rowCount = 16

    /// The step's data for one row of the tile.
    private struct Row {
        var index = 0
        /// The row in the group's tables; nil for a series that was not trained on.
        var memberRow: Int?
        var running = RunningScale()
        var scale: Float = 1
        var last: Float = .nan
        /// Whether the networks forecast the series; if not, the seasonal naive method does.
        var usesNetworks = true
    }

    private let group: RecipeGroup
    private let specification: ForecastSpecification
    private let layout: RecipeLayout
    private let windows: Workspace
    private let linear: Workspace
    private let numbers: Workspace
    private let raw: Workspace
    private let squashed: Workspace
    private let hidden: Workspace
    private let dense: Workspace
    private let denseOut: Workspace
    private let tiles: [Decoder.Tile]
    private var rows: [Row]

    init(_ group: RecipeGroup, _ specification: ForecastSpecification, layout: RecipeLayout) {
        (self.group, self.specification, self.layout) = (group, specification, layout)
        let rows = Self.rowCount
        let shape = group.shape
        let sizes = group.networks.map(\.cell.sizes)
        windows = Workspace(rows * shape.window.count)
        linear = Workspace(rows * shape.linearCount)
        numbers = Workspace(rows * shape.count)
        raw = Workspace(rows * SlotShape.errorCount)
        squashed = Workspace(rows * NetworkInputs.recurrentCount)
        hidden = Workspace(rows * 2 * (sizes.map(\.units).max() ?? 0))
        dense = Workspace(rows * (sizes.map(\.dense).max() ?? 0))
        denseOut = Workspace(rows * (sizes.map(\.denseUnits).max() ?? 0))
        tiles = sizes.map { Decoder.Tile(slots: rows, $0, keepsSlopes: false) }
        self.rows = [Row](repeating: Row(), count: rows)
    }

    /// Steps the rows `indices` of the batch.
    func run(_ indices: ArraySlice<Int>, _ batch: inout AdvanceBatch) {
        let (count, wantsForecasts) = (indices.count, batch.wantsForecasts)
        batch.states.withUnsafeMutableBufferPointer { states in
            batch.lagged.withUnsafeBufferPointer { lagged in
                guard let states = states.baseAddress, let lagged = lagged.baseAddress else { return }
                for (row, index) in indices.enumerated() {
                    read(
                        row, index, batch.series[index], batch.values[index], lagged + index * layout.lagCount,
                        states + index * layout.stateCount)
                }
                multiply(count)
                for row in 0..<count {
                    let index = rows[row].index
                    write(row, batch.values[index], batch.calendar[index], states + index * layout.stateCount)
                }
                stepNetworks(count, states)
                guard wantsForecasts else { return }
                batch.forecasts.withUnsafeMutableBufferPointer { out in
                    guard let out = out.baseAddress else { return }
                    forecast(count, lagged, states, out)
                }
            }
        }
    }

    // MARK: From lags to numbers

    private func read(
        _ row: Int, _ index: Int, _ id: SeriesID, _ value: Float, _ lagged: UnsafePointer<Float>,
        _ state: UnsafeMutablePointer<Float>
    ) {
        var running = RunningScale(state)
        running.observe(value, seasonal: group.fallback.seasonIndex.map { lagged[$0] } ?? .nan)
        running.store(to: state)
        let memberRow = group.memberRows[id]
        let scale = memberRow.map { group.scales[$0] } ?? running.divisor
        let window = group.shape.window
        let last = window.read(lagged, value: value, scale: scale, to: windows.base + row * window.count)
        if !last.isFinite { (windows.base + row * window.count).update(repeating: 0, count: window.count) }
        rows[row] = Row(
            index: index, memberRow: memberRow, running: running, scale: scale,
            last: last.isFinite ? last : running.last,
            usesNetworks: memberRow != nil || group.fallback.hasTwoSeasons(lagged))
    }

    /// Computes the linear part of every row: shared weights in one batch, then series with weights of their own one by
    /// one.
    private func multiply(_ count: Int) {
        let (from, to) = (group.shape.window.count, group.shape.linearCount)
        group.shared.forward(rows: count, x: windows.base, xStride: from, y: linear.base)
        for row in 0..<count {
            guard let memberRow = rows[row].memberRow, let cell = group.own[memberRow] else { continue }
            cell.forward(rows: 1, x: windows.base + row * from, xStride: from, y: linear.base + row * to)
        }
    }

    private func write(
        _ row: Int, _ value: Float, _ time: CalendarTime, _ state: UnsafeMutablePointer<Float>
    ) {
        let (shape, known) = (group.shape, rows[row])
        let level = known.memberRow.map { (known.last - group.centers[$0]) / known.scale } ?? 0
        let out = numbers.base + row * shape.count
        shape.write(
            windows.base + row * shape.window.count, linear.base + row * shape.linearCount,
            isMissing: !value.isFinite, level: level.isFinite ? level : 0, phases: shape.phases(time),
            state: state + RunningScale.count, to: out)
        for index in 0..<SlotShape.errorCount {
            raw.base[row * SlotShape.errorCount + index] = out[shape.errors + index]
        }
    }

    // MARK: Networks

    private func stepNetworks(_ count: Int, _ states: UnsafeMutablePointer<Float>) {
        NetworkInputs.squashErrors(count, raw.base, to: squashed.base)
        for (network, offset) in zip(group.networks, layout.states) {
            guard let lstm = network.cell.lstm else { continue }
            let units = network.cell.sizes.units
            let (h, c) = (hidden.base, hidden.base + count * units)
            for row in 0..<count {
                let state = states + rows[row].index * layout.stateCount + offset
                (h + row * units).update(from: state, count: units)
                (c + row * units).update(from: state + units, count: units)
            }
            lstm.step(
                rows: count, x: squashed.base, xStride: NetworkInputs.recurrentCount, h: h, c: c, stride: units)
            for row in 0..<count {
                let state = states + rows[row].index * layout.stateCount + offset
                state.update(from: h + row * units, count: units)
                (state + units).update(from: c + row * units, count: units)
            }
        }
    }

    private func forecast(
        _ count: Int, _ lagged: UnsafePointer<Float>, _ states: UnsafePointer<Float>, _ out: UnsafeMutablePointer<Float>
    ) {
        for (index, network) in group.networks.enumerated() {
            // Networks with the same compression read the same leads.
            let sharing = group.networks[..<index].firstIndex { $0.inputs.squashes == network.inputs.squashes }
            decode(
                count, network.cell, network.inputs, tiles[index],
                sharing: sharing.map { (tiles[$0], group.networks[$0].cell.sizes) },
                states, offset: layout.states[index])
        }
        let size = specification.forecastCount
        for row in 0..<count {
            let known = rows[row]
            let to = out + known.index * layout.expertCount * size
            let rowLagged = lagged + known.index * layout.lagCount
            let naive = layout.expertCount - 1
            group.fallback.write(rowLagged, known.running, last: known.last, to: to + naive * size)
            guard known.usesNetworks else {
                for expert in 0..<naive { (to + expert * size).update(from: to + naive * size, count: size) }
                continue
            }
            for index in group.networks.indices {
                writeForecast(row, tiles[index].quantiles + row * size, to: to + index * size)
            }
            writeLinearForecast(row, to: to + group.networks.count * size)
        }
    }

    private func decode(
        _ count: Int, _ cell: RecipeCell, _ inputs: NetworkInputs, _ tile: Decoder.Tile,
        sharing: (tile: Decoder.Tile, sizes: NetworkSizes)?, _ states: UnsafePointer<Float>, offset: Int
    ) {
        let (sizes, shape) = (cell.sizes, group.shape)
        let plain = sizes.dense - NetworkInputs.recurrentCount
        for row in 0..<count {
            let (from, context) = (numbers.base + row * shape.count, tile.context + row * sizes.context)
            if let sharing {
                (context + sizes.remembered).update(
                    from: sharing.tile.context + row * sharing.sizes.context + sharing.sizes.remembered,
                    count: NetworkInputs.staticCount)
            } else {
                inputs.writeDecoder(
                    from, statics: context + sizes.remembered, leads: tile.leads + row * sizes.horizon * sizes.leads,
                    simple: tile.simple + row * sizes.horizon * NetworkInputs.simpleCount)
            }
            let x = dense.base + row * sizes.dense
            inputs.writePlain(from, to: x)
            (x + plain).update(
                from: squashed.base + row * NetworkInputs.recurrentCount, count: NetworkInputs.recurrentCount)
            context.update(from: states + rows[row].index * layout.stateCount + offset, count: sizes.units)
            cell.writeEmbedding(rows[row].memberRow, to: context + sizes.units + sizes.denseUnits)
        }
        cell.runDense(count, dense.base, to: denseOut.base)
        for row in 0..<count {
            (tile.context + row * sizes.context + sizes.units).update(
                from: denseOut.base + row * sizes.denseUnits, count: sizes.denseUnits)
        }
        cell.decoder.forward(count, tile, leads: sharing?.tile.leads, simple: sharing?.tile.simple)
    }

    // MARK: Forecasts in the series' unit

    /// Writes a forecast in the unit of the series, ascending within each lead.
    private func writeForecast(_ row: Int, _ quantiles: UnsafePointer<Float>, to out: UnsafeMutablePointer<Float>) {
        let (width, known) = (specification.quantiles.count, rows[row])
        for lead in 0..<specification.horizon {
            let start = lead * width
            for index in start..<start + width {
                let value = known.last + known.scale * quantiles[index]
                var target = index
                while target > start, out[target - 1] > value {
                    out[target] = out[target - 1]
                    target -= 1
                }
                out[target] = value
            }
        }
    }

    private func writeLinearForecast(_ row: Int, to out: UnsafeMutablePointer<Float>) {
        let (width, known) = (specification.quantiles.count, rows[row])
        let base = linear.base + row * group.shape.linearCount
        let first = (known.memberRow ?? group.scales.count) * specification.forecastCount
        group.residuals.withUnsafeBufferPointer { residuals in
            for lead in 0..<specification.horizon {
                for index in lead * width..<(lead + 1) * width {
                    out[index] = known.last + known.scale * (base[lead] + residuals[first + index])
                }
            }
        }
    }
}

import Forecasting
import LinearARForecaster
import Recurrent
import TimeSeries

/// The scratch of one group, and the step of a tile of its rows. It belongs to one call of `advance` at a time, which is
/// what makes it Sendable: between calls it lies in the model's store, behind a lock.
final class RecipePass: @unchecked Sendable {
    /// Rows that run together: their numbers stay in the nearest caches.
    static let rowCount = 16

    /// What is known of one row of the tile.
    private struct Row {
        var index = 0
        /// The row of the group's tables; nil for a series that was not trained on.
        var place: Int?
        var running = RunningScale()
        var scale: Float = 1
        var last: Float = .nan
        /// Whether the series is forecast by the networks; else by what was seen one season ago.
        var isSettled = true
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
        running.take(value, seasonal: group.fallback.seasonPlace.map { lagged[$0] } ?? .nan)
        running.store(to: state)
        let place = group.places[id]
        let scale = place.map { group.scales[$0] } ?? running.divisor
        let window = group.shape.window
        let last = window.read(lagged, value: value, scale: scale, to: windows.base + row * window.count)
        if !last.isFinite { (windows.base + row * window.count).update(repeating: 0, count: window.count) }
        rows[row] = Row(
            index: index, place: place, running: running, scale: scale,
            last: last.isFinite ? last : running.last,
            isSettled: place != nil || group.fallback.isSettled(lagged))
    }

    /// The linear part of every row: shared weights together, own ones alone.
    private func multiply(_ count: Int) {
        let (from, to) = (group.shape.window.count, group.shape.linearCount)
        group.shared.forward(rows: count, x: windows.base, xStride: from, y: linear.base)
        for row in 0..<count {
            guard let place = rows[row].place, let cell = group.own[place] else { continue }
            cell.forward(rows: 1, x: windows.base + row * from, xStride: from, y: linear.base + row * to)
        }
    }

    private func write(
        _ row: Int, _ value: Float, _ time: CalendarTime, _ state: UnsafeMutablePointer<Float>
    ) {
        let (shape, known) = (group.shape, rows[row])
        let level = known.place.map { (known.last - group.centers[$0]) / known.scale } ?? 0
        let out = numbers.base + row * shape.count
        shape.write(
            windows.base + row * shape.window.count, linear.base + row * shape.linearCount,
            isMissing: !value.isFinite, level: level.isFinite ? level : 0, phases: shape.phases(time),
            state: state + RunningScale.count, to: out)
        for place in 0..<SlotShape.errorCount {
            raw.base[row * SlotShape.errorCount + place] = out[shape.errors + place]
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
        for (place, network) in group.networks.enumerated() {
            // Networks that squash alike read the same leads.
            let alike = group.networks[..<place].firstIndex { $0.inputs.squashes == network.inputs.squashes }
            decode(
                count, network.cell, network.inputs, tiles[place],
                alike: alike.map { (tiles[$0], group.networks[$0].cell.sizes) },
                states, offset: layout.states[place])
        }
        let size = specification.forecastCount
        for row in 0..<count {
            let known = rows[row]
            let to = out + known.index * layout.expertCount * size
            let own = lagged + known.index * layout.lagCount
            let simple = layout.expertCount - 1
            group.fallback.write(own, known.running, last: known.last, to: to + simple * size)
            guard known.isSettled else {
                for expert in 0..<simple { (to + expert * size).update(from: to + simple * size, count: size) }
                continue
            }
            for place in group.networks.indices {
                emit(row, tiles[place].quantiles + row * size, to: to + place * size)
            }
            emitLinear(row, to: to + group.networks.count * size)
        }
    }

    private func decode(
        _ count: Int, _ cell: RecipeCell, _ inputs: NetworkInputs, _ tile: Decoder.Tile,
        alike: (tile: Decoder.Tile, sizes: NetworkSizes)?, _ states: UnsafePointer<Float>, offset: Int
    ) {
        let (sizes, shape) = (cell.sizes, group.shape)
        let plain = sizes.dense - NetworkInputs.recurrentCount
        for row in 0..<count {
            let (from, context) = (numbers.base + row * shape.count, tile.context + row * sizes.context)
            if let alike {
                (context + sizes.remembered).update(
                    from: alike.tile.context + row * alike.sizes.context + alike.sizes.remembered,
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
            cell.writeEmbedding(rows[row].place, to: context + sizes.units + sizes.denseUnits)
        }
        cell.runDense(count, dense.base, to: denseOut.base)
        for row in 0..<count {
            (tile.context + row * sizes.context + sizes.units).update(
                from: denseOut.base + row * sizes.denseUnits, count: sizes.denseUnits)
        }
        cell.decoder.forward(count, tile, leads: alike?.tile.leads, simple: alike?.tile.simple)
    }

    // MARK: Forecasts in the series' unit

    /// Ascending within each lead.
    private func emit(_ row: Int, _ quantiles: UnsafePointer<Float>, to out: UnsafeMutablePointer<Float>) {
        let (width, known) = (specification.quantiles.count, rows[row])
        for lead in 0..<specification.horizon {
            let start = lead * width
            for place in start..<start + width {
                let value = known.last + known.scale * quantiles[place]
                var target = place
                while target > start, out[target - 1] > value {
                    out[target] = out[target - 1]
                    target -= 1
                }
                out[target] = value
            }
        }
    }

    private func emitLinear(_ row: Int, to out: UnsafeMutablePointer<Float>) {
        let (width, known) = (specification.quantiles.count, rows[row])
        let base = linear.base + row * group.shape.linearCount
        let first = (known.place ?? group.scales.count) * specification.forecastCount
        group.residuals.withUnsafeBufferPointer { residuals in
            for lead in 0..<specification.horizon {
                for place in lead * width..<(lead + 1) * width {
                    out[place] = known.last + known.scale * (base[lead] + residuals[first + place])
                }
            }
        }
    }
}

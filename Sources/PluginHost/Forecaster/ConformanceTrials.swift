import Forecasting
import TimeSeries

/// The checks that need a loaded model.
struct ConformanceTrials {
    private let subject: Subject
    private let model: LoadedModel
    private let plugin: PluginManifest

    init(_ subject: Subject, _ model: LoadedModel, _ plugin: PluginManifest) {
        (self.subject, self.model, self.plugin) = (subject, model, plugin)
    }

    var all: [(String, () throws -> Void)] {
        [
            ("states and forecasts have the sizes that Load named", sizes),
            ("the same call gives the same bits", isDeterministic),
            ("a row does not depend on the other rows of its call, or on its position", isIndependent),
            ("a state that is saved and handed in again goes on with the same bits", savesState),
            ("after 100 values the quantiles are finite and ascending", forecastsMakeSense),
            ("a call of 1 MiB is answered within the deadline of \(plugin.deadline)", takesLargeCalls),
            ("an unknown model is refused, and it goes on", refusesUnknownModels),
        ]
    }

    private var shape: ModelShape { model.description.shape }

    private func sizes() throws {
        var batch = rows(3, seed: 1)
        try advance(&batch)
    }

    private func isDeterministic() throws {
        var (first, second) = (rows(5, seed: 2), rows(5, seed: 2))
        try advance(&first)
        try advance(&second)
        try expectEqual(first, second)
    }

    private func isIndependent() throws {
        var together = rows(7, seed: 3)
        try advance(&together)
        var reversed = rows(7, seed: 3).picking(Array((0..<7).reversed()), shape)
        try advance(&reversed)
        try expectEqual(together, reversed.picking(Array((0..<7).reversed()), shape))
        for row in 0..<7 {
            var alone = rows(7, seed: 3).picking([row], shape)
            try advance(&alone)
            try expectEqual(together.picking([row], shape), alone)
        }
    }

    private func savesState() throws {
        var straight = rows(2, seed: 4)
        for step in 0..<5 { try advance(&straight, slot: step) }
        var saved = rows(2, seed: 4)
        for step in 0..<5 {
            // Other rows in between: the plugin must not keep anything from call to call.
            var other = rows(3, seed: UInt64(step))
            try advance(&other)
            try advance(&saved, slot: step)
        }
        try expectEqual(straight, saved)
    }

    private func forecastsMakeSense() throws {
        var batch = rows(2, seed: 5)
        for step in 0..<100 { try advance(&batch, slot: step) }
        let width = model.specification.quantiles.count
        for start in stride(from: 0, to: batch.forecasts.count, by: width) {
            let lead = batch.forecasts[start..<start + width]
            guard lead.allSatisfy(\.isFinite), zip(lead, lead.dropFirst()).allSatisfy({ $0 <= $1 }) else {
                throw ConformanceFailure("found the quantiles \(Array(lead))")
            }
        }
    }

    private func takesLargeCalls() throws {
        let count = shape.rowsPerCall
        var fastest = Duration.seconds(Int64.max)
        // The fastest of three: the machine may have been busy.
        for _ in 0..<3 where fastest > plugin.deadline {
            var batch = rows(count, seed: 6)
            let took = try ContinuousClock().measure {
                try subject.process.channel.advance("a", &batch, 0..<count, shape, within: plugin.startup)
            }
            fastest = min(fastest, took)
        }
        guard fastest <= plugin.deadline else {
            throw ConformanceFailure(
                "\(count) rows took \(fastest): make a step faster, or the deadline in plugin.toml longer")
        }
    }

    private func refusesUnknownModels() throws {
        var batch = rows(1, seed: 7)
        do {
            try subject.process.channel.advance("nobody", &batch, 0..<1, shape, within: plugin.startup)
        } catch is PluginHostError {
            throw ConformanceFailure("expected an error of the interface")
        } catch {
            return try advance(&batch)
        }
        throw ConformanceFailure("expected the error UnknownModel, found an answer")
    }

    /// Compares the same steps in two processes.
    func compare(with other: Subject, as name: String) throws {
        var (here, there) = (rows(4, seed: 8), rows(4, seed: 8))
        for step in 0..<5 {
            try advance(&here, slot: step)
            there.move(to: step)
            try other.process.channel.advance(name, &there, 0..<4, shape, within: plugin.startup)
        }
        try expectEqual(here, there)
    }

    private func advance(_ batch: inout AdvanceBatch, slot: Int? = nil) throws {
        if let slot { batch.move(to: slot) }
        try subject.process.channel.advance("a", &batch, 0..<batch.count, shape, within: plugin.startup)
    }

    /// Rows in the initial state, each with its own value, lags and time.
    private func rows(_ count: Int, seed: UInt64) -> AdvanceBatch {
        let initial = model.description.initialState
        var batch = AdvanceBatch(
            count: count, states: (0..<count).flatMap { _ in initial }, lags: shape.lagCount,
            forecasts: shape.forecastCount)
        for row in 0..<count {
            batch.series[row] = SeriesID(Int64(row) + 1)
            batch.values[row] = Float((UInt64(row) &* 7 &+ seed) % 23) + 0.5
            batch.calendar[row] = CalendarTime(localSeconds: 1_750_000_000 + Int64(row) * 3_600, cadenceSeconds: 60)
            for lag in 0..<shape.lagCount {
                batch.lagged[row * shape.lagCount + lag] = Float((UInt64(row + lag) &* 5 &+ seed) % 17)
            }
        }
        return batch
    }

    private func expectEqual(_ a: AdvanceBatch, _ b: AdvanceBatch) throws {
        func expect(_ a: [Float], _ b: [Float], _ name: String) throws {
            let index = zip(a, b).firstIndexWhere { $0.bitPattern != $1.bitPattern && !($0.isNaN && $1.isNaN) }
            guard let index else { return }
            throw ConformanceFailure("\(name) differ at index \(index): \(a[index]) and \(b[index])")
        }
        try expect(a.states, b.states, "states")
        try expect(a.forecasts, b.forecasts, "forecasts")
    }
}

extension Zip2Sequence<[Float], [Float]> {
    fileprivate func firstIndexWhere(_ isRight: (Float, Float) -> Bool) -> Int? {
        enumerated().first { isRight($0.element.0, $0.element.1) }?.offset
    }
}

extension AdvanceBatch {
    /// Moves every row to its `slot`-th slot, with another time and value; some values are missing.
    fileprivate mutating func move(to slot: Int) {
        for row in 0..<count {
            calendar[row].localSeconds = 1_750_000_000 + Int64(row) * 3_600 + Int64(slot) * 60
            guard slot > 0 else { continue }
            values[row] = (slot + row) % 11 == 3 && slot < 90 ? .nan : Float((row * 7 + slot * 3) % 23) + 0.25
        }
    }

    /// A batch of the given rows, in that order.
    fileprivate func picking(_ rows: [Int], _ shape: ModelShape) -> AdvanceBatch {
        func pick(_ values: [Float], _ width: Int) -> [Float] {
            rows.flatMap { values[$0 * width..<($0 + 1) * width] }
        }
        var picked = AdvanceBatch(
            count: rows.count, states: pick(states, shape.stateCount), lags: shape.lagCount,
            forecasts: shape.forecastCount)
        (picked.values, picked.lagged) = (pick(values, 1), pick(lagged, shape.lagCount))
        picked.forecasts = pick(forecasts, shape.forecastCount)
        (picked.series, picked.calendar) = (rows.map { series[$0] }, rows.map { calendar[$0] })
        return picked
    }
}

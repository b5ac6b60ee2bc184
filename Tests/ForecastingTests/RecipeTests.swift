import Forecasting
import LSTMForecaster
import Testing
import TimeSeries

@Suite("The recipe")
struct RecipeTests {
    private func weights(_ panel: Panel, _ extra: Parameters = [:]) throws -> [UInt8] {
        let specification = try Wave.specification(Wave.small.merging(extra) { $1 })
        return try LSTMMethod().train(panel, from: nil, specification: specification) { _ in }.weights
    }

    private func trained(_ panel: Panel, _ extra: Parameters = [:]) throws -> any ForecastModel {
        let specification = try Wave.specification(Wave.small.merging(extra) { $1 })
        return try LSTMMethod().load(weights: weights(panel, extra), specification: specification)
    }

    /// Whether the three quantiles of every lead of every expert ascend.
    private static func ascends(_ forecast: [Float]) -> Bool {
        for start in stride(from: 0, to: forecast.count, by: 3) {
            let (low, middle, high) = (forecast[start], forecast[start + 1], forecast[start + 2])
            if low > middle || middle > high { return false }
        }
        return true
    }

    @Test("equal seeds give equal weights, another seed gives others")
    func seeds() throws {
        let panel = try Wave.panel()
        let first = try weights(panel)
        let (again, other) = (try weights(panel), try weights(panel, ["seed": .integer(2)]))
        #expect(again == first)
        #expect(other != first)
    }

    @Test("a row gives the same bits alone and in any batch, whoever shares it")
    func independence() throws {
        let panel = try Wave.panel(3)
        let model = try trained(panel)
        // Seven rows: three that were trained on, and newcomers of two cadences.
        let columns =
            panel.series + (try (10..<12).map { try Wave.series($0, slots: 300) })
            + (try (20..<22).map { try Wave.series($0, slots: 300, seconds: 600) })
        let all = Array(columns.indices)
        let splits: [[[Int]]] = [[all], all.map { [$0] }, [[3, 1], [6, 0, 2], [5], [4]], [Array(all.reversed())]]
        let outcomes = splits.map { parts in
            var walk = Walk(model, series: columns.count)
            var forecasts: [[UInt32]] = []
            for index in 0..<130 { forecasts = walk.step(columns, at: index, parts: parts).map(\.bits) }
            return forecasts + walk.states.map(\.bits)
        }
        for outcome in outcomes { #expect(outcome == outcomes[0]) }
    }

    @Test("gaps, constants and spikes give finite forecasts in ascending order")
    func extremes() throws {
        var panel = try Wave.panel(4)
        for index in 100..<160 { panel.series[0].values[index] = .nan }
        panel.series[1].values = panel.series[1].values.map { _ in 7 }
        for index in stride(from: 3, to: 300, by: 61) { panel.series[2].values[index] = 1e7 }
        for index in panel.series[3].values.indices where index % 3 != 0 { panel.series[3].values[index] = .nan }
        let model = try trained(panel)
        for column in panel.series {
            var walk = Walk(model, series: 1)
            for index in 0..<column.values.count {
                let forecast = walk.step([column], at: index, parts: [[0]])[0]
                #expect(forecast.allSatisfy { $0.isFinite })
                #expect(Self.ascends(forecast))
            }
            #expect(walk.states[0].allSatisfy { $0.isFinite })
        }
    }

    @Test("a series born after training is forecast as one season ago until two were seen, then by the networks")
    func newcomer() throws {
        let model = try trained(Wave.panel())
        let column = try Wave.series(9, slots: 150)
        let (lstm, naive) = (0, try #require(model.experts.firstIndex { $0.name == "naive" }))
        var walk = Walk(model, series: 1)
        for index in column.values.indices {
            let forecast = walk.step([column], at: index, parts: [[0]])[0]
            let size = Wave.horizon * 3
            let (a, b) = (forecast[lstm * size..<(lstm + 1) * size], forecast[naive * size..<(naive + 1) * size])
            #expect(forecast.allSatisfy { $0.isFinite })
            #expect(index < 96 ? Array(a) == Array(b) : Array(a) != Array(b))
        }
    }

    @Test("a horizon may be longer than the season")
    func longHorizon() throws {
        let panel = try Wave.panel()
        let specification = try Wave.specification(Wave.small, horizon: 60)
        let weights = try LSTMMethod().train(panel, from: nil, specification: specification) { _ in }.weights
        let model = try LSTMMethod().load(weights: weights, specification: specification)
        var walk = Walk(model, series: 3, horizon: 60)
        for forecast in walk.step(panel.series, at: 299, parts: [[0, 1, 2]]) {
            #expect(forecast.count == model.experts.count * 180)
            #expect(forecast.allSatisfy { $0.isFinite })
        }
    }

    @Test("one version serves series of several cadences, each by its own group")
    func cadences() throws {
        var panel = try Wave.panel(2)
        panel.series.append(try Wave.series(5, slots: 300, seconds: 60))
        let model = try trained(panel)
        #expect(model.summary.contains("1800.0 s  seasons 48, 0"))
        #expect(model.summary.contains("60.0 s  seasons 48, 0"))
        var walk = Walk(model, series: 3)
        let forecasts = walk.step(panel.series, at: 299, parts: [[0, 1, 2]])
        for forecast in forecasts { #expect(forecast.allSatisfy { $0.isFinite }) }
    }

    @Test("training stops when its progress report throws, and says when it diverges")
    func stops() throws {
        struct Enough: Error {}
        let specification = try Wave.specification(Wave.small)
        #expect(throws: Enough.self) {
            try LSTMMethod().train(Wave.panel(), from: nil, specification: specification) { _ in throw Enough() }
        }
        var panel = try Wave.panel(1)
        for index in panel.series[0].values.indices {
            panel.series[0].values[index] = index % 2 == 0 ? 3e38 : -3e38
        }
        #expect {
            try LSTMMethod().train(panel, from: nil, specification: specification) { _ in }
        } throws: { error in
            if case ForecastingError.diverged = error { true } else { false }
        }
    }

    @Test("unknown recipes and parameters out of range are refused")
    func refused() throws {
        for (name, value) in [
            ("recipe", ParameterValue.string("e")), ("dropout", .number(0.95)), ("season", .integer(4_000)),
            ("seeds", .integer(0)), ("units", .integer(-1)), ("chunk", .integer(1)),
        ] {
            #expect(throws: ForecastingError.self) { try weights(Wave.panel(), [name: value]) }
        }
        let trained = try weights(Wave.panel())
        let wider = try Wave.specification(Wave.small.merging(["units": .integer(6)]) { $1 })
        #expect(throws: ForecastingError.self) { try LSTMMethod().load(weights: trained, specification: wider) }
    }
}

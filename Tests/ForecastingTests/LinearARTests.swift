import Forecasting
import LinearARForecaster
import Testing
import TimeSeries

@Suite("Linear autoregression")
struct LinearARTests {
    private func trained(_ panel: Panel, _ parameters: Parameters = [:]) throws -> any ForecastModel {
        let specification = try Wave.specification(parameters)
        let weights = try LinearAR().train(panel, from: nil, specification: specification) { _ in }.weights
        return try LinearAR().load(weights: weights, specification: specification)
    }

    @Test("a series that follows a linear rule is forecast to its last digits")
    func exact() throws {
        var column = try Wave.series(0, slots: 400)
        // x(t) = 1.2 x(t-1) - 0.9 x(t-2) + noise would need its noise; without any, the rule is all there is.
        for index in column.values.indices {
            column.values[index] =
                index < 2 ? Float(index) : 1.932 * column.values[index - 1] - column.values[index - 2]
        }
        let model = try trained(Panel(series: [column]), ["season": .integer(0)])
        var walk = Walk(model, series: 1)
        var known = column
        known.values = Array(column.values.prefix(380))
        let forecast = walk.run(known)
        for lead in 0..<Wave.horizon {
            #expect(abs(forecast[lead * 3 + 1] - column.values[380 + lead]) < 0.05)
        }
    }

    @Test("the day is found in the data, and a declared season wins")
    func seasons() throws {
        let (found, declared) = (try trained(Wave.panel()), try trained(Wave.panel(), ["season": .integer(12)]))
        #expect(found.summary.contains("seasons 48, 0"))
        #expect(declared.summary.contains("seasons 12, 0"))
        // 37-second slots hold no whole day: what stands out is taken.
        var odd = try Wave.panel()
        for place in odd.series.indices {
            odd.series[place].cadence = try #require(Cadence(nanoseconds: 37_000_000_000))
        }
        let distinct = try trained(odd)
        #expect(distinct.summary.contains("seasons 48, 0"))
    }

    @Test("a series born after training is forecast as one season ago until two were seen")
    func newcomer() throws {
        let model = try trained(Wave.panel())
        var column = try Wave.series(9, slots: 110)
        column.values = column.values.map { 1_000 + 10 * $0 }
        var walk = Walk(model, series: 1)
        for index in column.values.indices {
            let forecast = walk.step([column], at: index, parts: [[0]])[0]
            #expect(forecast.allSatisfy { $0.isFinite })
            for lead in 1...Wave.horizon where index >= 48 && index < 96 {
                #expect(forecast[(lead - 1) * 3 + 1] == column.values[index + lead - 48])
            }
            if index > 96 { #expect(abs(forecast[1] - column.values[min(index + 1, 109)]) < 60) }
        }
    }

    @Test("after a gap longer than every lag it goes on from the last value")
    func longGap() throws {
        let model = try trained(Wave.panel())
        var column = try Wave.series(0, slots: 1_400)
        for index in 300..<1_400 { column.values[index] = .nan }
        var walk = Walk(model, series: 1)
        for index in column.values.indices {
            let forecast = walk.step([column], at: index, parts: [[0]])[0]
            #expect(forecast.allSatisfy { $0.isFinite }, "slot \(index)")
            if index > 1_000 { #expect(abs(forecast[1] - column.values[299]) < 20) }
        }
    }

    @Test("a fleet of many short series shares its weights, and one with few values is served too")
    func fleet() throws {
        var panel = try Wave.panel(70, slots: 120)
        panel.series[3].values = Array(panel.series[3].values.suffix(10))
        for index in panel.series[4].values.indices { panel.series[4].values[index] = .nan }
        let trained = try LinearAR().train(panel, from: nil, specification: Wave.specification()) { _ in }
        #expect(trained.metrics["own_weights"] == 0)
        let model = try LinearAR().load(weights: trained.weights, specification: Wave.specification())
        for place in [3, 10] {
            var walk = Walk(model, series: 1)
            let forecast = walk.run(panel.series[place])
            #expect(forecast.allSatisfy { $0.isFinite })
        }
    }

    @Test("after a silence longer than all lags the forecast is what the series usually is, not what it was last")
    func longSilence() throws {
        var panel = try Wave.panel(1, slots: 400)
        let model = try trained(panel, ["season": .integer(12)])
        let sorted = panel.series[0].values.sorted()
        let longest = try #require(model.lags.last)
        panel.series[0].values += [Float](repeating: .nan, count: longest + 1)
        panel.series[0].utcOffsets += [Int32](repeating: 0, count: longest + 1)
        var walk = Walk(model, series: 1)
        let forecast = walk.run(panel.series[0])
        for lead in 0..<Wave.horizon {
            for (column, level) in Wave.levels.enumerated() {
                let rank = level * Double(sorted.count - 1)
                let expected =
                    sorted[Int(rank)] + Float(rank - rank.rounded(.down))
                    * (sorted[min(Int(rank) + 1, sorted.count - 1)] - sorted[Int(rank)])
                #expect(abs(forecast[lead * Wave.levels.count + column] - expected) < 1e-4)
            }
        }
    }

    @Test("too little history, unknown parameters and foreign weights are refused")
    func refused() throws {
        let specification = try Wave.specification()
        #expect(throws: ForecastingError.tooLittleHistory(method: "linear", found: 20, needed: 48)) {
            try LinearAR().train(Wave.panel(2, slots: 20), from: nil, specification: specification) { _ in }
        }
        #expect(throws: ForecastingError.self) {
            try LinearAR().load(weights: [1, 2, 3], specification: specification)
        }
        #expect(throws: ForecastingError.self) { try trained(Wave.panel(), ["saison": .integer(3)]) }
        let weights = try LinearAR().train(Wave.panel(), from: nil, specification: specification) { _ in }.weights
        let longer = ForecastSpecification(horizon: 7, quantiles: specification.quantiles)
        #expect(throws: ForecastingError.self) { try LinearAR().load(weights: weights, specification: longer) }
    }
}

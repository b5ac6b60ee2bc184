import Forecasting
import HoltWintersForecaster
import LSTMForecaster
import SeasonalNaiveForecaster
import Testing
import TimeSeries

@Suite("Methods and contests")
struct ContestTests {
    private let specification: ForecastSpecification
    private let panel: Panel

    init() throws {
        specification = ForecastSpecification(
            horizon: 12, quantiles: try #require(QuantileLevels([0.05, 0.5, 0.95])), parameters: [:])
        panel = Panel(series: try (0..<4).map { try Self.series($0) })
    }

    /// A wave with autocorrelated noise and a gap.
    private static func series(_ number: Int) throws -> Panel.Series {
        var state = UInt64(number) &* 977 &+ 5
        var noise: Float = 0
        let values = (0..<400).map { (slot: Int) -> Float in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            noise = 0.7 * noise + Float(state >> 40) * 0x1p-24 - 0.5
            let phase = (slot + 7 * number) % 48
            let wave = Float(phase < 24 ? phase : 48 - phase)
            return (100...110).contains(slot) ? .nan : wave + noise + 50
        }
        return Panel.Series(
            id: SeriesID(Int64(number)), key: "wave,n=\(number) v",
            cadence: try #require(Cadence(nanoseconds: 60_000_000_000)),
            start: 28_000_000, values: values, utcOffsets: [Int32](repeating: 0, count: 400))
    }

    private var methods: [any ForecastingMethod] { [SeasonalNaive(), HoltWinters()] }

    private func mean(_ model: any ForecastModel) -> Double {
        let scores = Contest(panel: panel, holdout: 0.2).scores(of: model, specification: specification).compactMap {
            $0
        }
        return scores.map(\.pinball).reduce(0, +) / Double(scores.count)
    }

    @Test("a trained LSTM beats both opponents on waves, and equal seeds give equal weights")
    func training() throws {
        var specification = specification
        specification.parameters = ["recipe": .string("plain"), "steps": .integer(200), "units": .integer(16)]
        let train = {
            try LSTMMethod().train(self.panel.droppingLast(fraction: 0.2), from: nil, specification: specification) {
                _ in
            }
        }
        let trained = try train()
        #expect(try train().weights == trained.weights)
        let lstm = mean(try LSTMMethod().load(weights: trained.weights, specification: specification))
        for method in methods {
            let opponent = mean(try method.load(weights: [], specification: self.specification))
            #expect(lstm < 0.9 * opponent)
        }
    }

    @Test("weights of another shape and too little history are refused with what was expected")
    func refused() throws {
        var small = specification
        small.parameters = ["recipe": .string("plain"), "steps": .integer(40), "units": .integer(4)]
        let weights = try LSTMMethod().train(panel, from: nil, specification: small) { _ in }.weights
        #expect(throws: ForecastingError.self) {
            try LSTMMethod().load(weights: weights, specification: self.specification)
        }
        #expect(throws: ForecastingError.self) { try LSTMMethod().load(weights: [1, 2, 3], specification: small) }
        let short = Panel(series: [try #require(panel.droppingLast(fraction: 0.95).series.first)])
        #expect(throws: ForecastingError.tooLittleHistory(method: "lstm", found: 20, needed: 48)) {
            try LSTMMethod().train(short, from: nil, specification: small) { _ in }
        }
        #expect(throws: ForecastingError.self) {
            try SeasonalNaive().load(
                weights: [],
                specification: ForecastSpecification(
                    horizon: 1, quantiles: self.specification.quantiles, parameters: ["saison": .integer(1)]))
        }
    }

    @Test("constant, huge and missing values give finite ascending quantiles after the first value")
    func extremes() throws {
        var small = specification
        small.parameters = ["recipe": .string("plain"), "steps": .integer(40), "units": .integer(4)]
        let weights = try LSTMMethod().train(panel, from: nil, specification: small) { _ in }.weights
        var models = try methods.map { try $0.load(weights: [], specification: specification) }
        models.append(try LSTMMethod().load(weights: weights, specification: small))
        for model in models {
            for values in [[3, 3, 3, 3], [1e10, .nan, -1e10, 5], [.nan, .nan, 2, .nan], [0, 0, 0, 0]] as [[Float]] {
                var state = model.initialState
                for (slot, value) in values.enumerated() {
                    var batch = AdvanceBatch(count: 1, model: model, forecastCount: 36, wantsForecasts: true)
                    batch.states = state
                    batch.values = [value]
                    batch.calendar = [CalendarTime(localSeconds: Int64(slot), cadenceSeconds: 1)]
                    model.advance(&batch)
                    state = batch.states
                    guard values[...slot].contains(where: { !$0.isNaN }) else { continue }
                    #expect(batch.forecasts.allSatisfy { $0.isFinite })
                    for lead in 0..<12 { #expect(batch.forecasts[3 * lead] <= batch.forecasts[3 * lead + 2]) }
                }
            }
        }
    }

    @Test("rows do not depend on who shares the batch")
    func independence() throws {
        var small = specification
        small.parameters = [
            "recipe": .string("plain"), "steps": .integer(40), "units": .integer(9), "layers": .integer(2),
        ]
        let weights = try LSTMMethod().train(panel, from: nil, specification: small) { _ in }.weights
        let model = try LSTMMethod().load(weights: weights, specification: small)
        var together = AdvanceBatch(count: 5, model: model, forecastCount: 36, wantsForecasts: true)
        together.states = (0..<5).flatMap { _ in model.initialState }
        together.values = [1, 2, .nan, 4, -5]
        let before = together
        model.advance(&together)
        for row in 0..<5 {
            var alone = AdvanceBatch(count: 1, model: model, forecastCount: 36, wantsForecasts: true)
            alone.states = Array(before.states[row * model.stateCount..<(row + 1) * model.stateCount])
            alone.values = [before.values[row]]
            model.advance(&alone)
            #expect(
                alone.states.map(\.bitPattern)
                    == together.states[row * model.stateCount..<(row + 1) * model.stateCount].map(\.bitPattern))
            #expect(
                alone.forecasts.map(\.bitPattern) == together.forecasts[row * 36..<(row + 1) * 36].map(\.bitPattern))
        }
    }

    @Test("neither a worse nor a broken model is promoted")
    func promotion() {
        let rule = PromotionRule(margin: 0.01)
        func score(_ loss: Double) -> SeriesScore { SeriesScore(pinball: loss, mase: loss, coverage: 0.9) }
        #expect(rule.winner(incumbent: "hw", scores: ["hw": score(1), "candidate": score(0.5)]) == "candidate")
        #expect(rule.winner(incumbent: "hw", scores: ["hw": score(1), "candidate": score(0.995)]) == "hw")
        #expect(rule.winner(incumbent: "hw", scores: ["hw": score(1), "candidate": score(2)]) == "hw")
        #expect(rule.winner(incumbent: "hw", scores: ["hw": score(1), "candidate": score(.nan)]) == "hw")
        #expect(rule.winner(incumbent: "hw", scores: ["hw": score(1)]) == "hw")
        #expect(rule.winner(incumbent: "hw", scores: ["hw": score(.nan), "sn": score(3)]) == "sn")
    }

    @Test("the normal quantile is right in the middle and in the tails")
    func quantile() {
        #expect(abs(normalQuantile(0.975) - 1.959963984540054) < 1e-8)
        #expect(abs(normalQuantile(0.5)) < 1e-12)
        #expect(abs(normalQuantile(0.01) + 2.3263478740408408) < 1e-8)
        #expect(abs(normalQuantile(0.001) + 3.090232306167813) < 1e-8)
    }
}

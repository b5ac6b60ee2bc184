import Forecasting
import Testing
import TimeSeries

/// Forecasts a fan around the last value, and in some slots numbers that nobody can work with.
private final class Exploding: ForecastModel {
    let stateCount = 1
    let lags: [Int] = []
    let initialState: [Float] = [0]
    let experts: [Expert]
    let summary = "now and then it explodes"
    private let bad: [Float]
    private let width: Int
    /// Whether all experts explode, or the first alone.
    private let isWhole: Bool

    init(_ bad: [Float], width: Int, experts: Int, isWhole: Bool) {
        (self.bad, self.width, self.isWhole) = (bad, width, isWhole)
        self.experts = (0..<experts).map { Expert(name: "expert \($0)", prior: 1) }
    }

    static func explodes(_ slot: Slot) -> Bool { (0..<10).contains(slot % 40) }

    func advance(_ batch: inout AdvanceBatch) {
        for row in 0..<batch.count {
            if !batch.values[row].isNaN { batch.states[row] = batch.values[row] }
            for place in 0..<batch.forecasts.count / batch.count {
                let isBad = Self.explodes(batch.slots[row]) && (isWhole || place < width)
                batch.forecasts[row * batch.forecasts.count / batch.count + place] =
                    isBad ? bad[place % bad.count] : batch.states[row] + Float(place % 3) - 1
            }
        }
    }
}

@Suite("Forecasts that are none")
struct UnusableForecastTests {
    private static let huge = Float.greatestFiniteMagnitude
    private static let numbers: [[Float]] = [
        [.nan], [.infinity], [-.infinity], [-huge, 0, huge], [3e38], [-3e38, 3e38, 3e38], [0, 0, .nan], [0, 1, 2e30],
    ]

    private func walk(_ bad: [Float], experts: Int, isWhole: Bool, _ body: (Slot, [Float]) -> Void) throws {
        let levels = try #require(QuantileLevels([0.05, 0.5, 0.95]))
        let specification = ForecastSpecification(horizon: 4, quantiles: levels)
        let model = Exploding(bad, width: specification.forecastCount, experts: experts, isWhole: isWhole)
        let served = ServedModel(model, specification: specification)
        let cadence = try #require(Cadence(nanoseconds: 3_600_000_000_000))
        var state = served.initialState
        for slot in 1_000..<Slot(1_800) {
            var batch = AdvanceBatch(
                count: 1, model: served, forecastCount: specification.forecastCount, wantsForecasts: true)
            (batch.states, batch.slots[0], batch.values[0]) = (state, slot, slot % 13 == 0 ? 1e18 : Float(slot % 7))
            batch.calendar[0] = CalendarTime(localSeconds: slot * 3_600, cadenceSeconds: 3_600)
            served.advance(&batch)
            state = batch.states
            body(slot, batch.forecasts)
            let report = try #require(served.report(of: state, slot: slot, cadence: cadence))
            #expect(report.experts.allSatisfy { $0.weight.isFinite } && report.surprise.isFinite)
            #expect(report.tail?.isFinite ?? true)
            #expect(report.drift.map { $0.lately.isFinite && $0.longRun.isFinite } ?? true)
            let leads = report.block?.leads ?? []
            #expect(leads.allSatisfy { $0.loss.isFinite && $0.error.isFinite }, "\(bad), slot \(slot): \(leads)")
        }
    }

    @Test("a forecast with a number beyond 1e30 is none at all, and nothing that is learnt suffers", arguments: numbers)
    func whole(_ bad: [Float]) throws {
        for experts in [1, 2] {
            try walk(bad, experts: experts, isWhole: true) { slot, forecast in
                let isNone = forecast.allSatisfy(\.isNaN)
                #expect(isNone == Exploding.explodes(slot), "slot \(slot): \(forecast)")
                #expect(isNone || forecast.allSatisfy { $0.magnitude < 1e30 })
            }
        }
    }

    @Test("one expert of two that explodes has no say meanwhile", arguments: numbers)
    func oneExpert(_ bad: [Float]) throws {
        try walk(bad, experts: 2, isWhole: false) { slot, forecast in
            #expect(forecast.allSatisfy { $0.magnitude < 1e30 }, "slot \(slot): \(forecast)")
        }
    }
}

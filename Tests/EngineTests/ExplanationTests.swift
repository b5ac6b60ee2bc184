import Engine
import TestSupport
import Testing
import TimeSeries

@Suite("Explanations")
struct ExplanationTests {
    @Test("coverage is that of the forecasts that were really made, however often the engine was started since")
    func coverage() async throws {
        let fixture = try Fixture(lateness: 24)
        var engine = try await fixture.open()
        var dice = SeededGenerator(7)
        var made: [(slot: Slot, low: [Float], high: [Float])] = []
        var values: [Slot: Float] = [:]
        for index in 0..<150 where index % 11 != 3 {
            let value = dice.value(at: Int64(index) * 10)
            _ = try await engine.ingest([reading("a", Int64(index) * 10, value)])
            let forecast = try await engine.forecast(of: series("a")).forecast
            let quantiles = (1...6).map { Array(forecast.quantiles(atLead: $0)) }
            made.append((forecast.origin, quantiles.map { $0[0] }, quantiles.map { $0[2] }))
            values[forecast.origin] = Float(value)
        }
        engine = try await fixture.restart(engine)
        let explained = try await engine.explanation(of: series("a"))
        let newest = try #require(made.last?.slot)
        let first = newest - Slot(explained.steps) + 1
        var (inside, compared) = (0, 0)
        // Slots without a reading are forecast from too, but nobody saw those forecasts.
        let missing = (first..<newest).filter { values[$0] == nil }.count
        for forecast in made where forecast.slot >= first && forecast.slot < newest {
            for lead in 0..<6 {
                guard let value = values[forecast.slot + Slot(lead) + 1], forecast.slot + Slot(lead) + 1 < newest else {
                    continue
                }
                compared += 1
                if forecast.low[lead] <= value, value <= forecast.high[lead] { inside += 1 }
            }
        }
        #expect(explained.steps > 24)
        #expect(abs(explained.interval - 0.9) < 1e-12)
        let extra = explained.compared - compared
        #expect(extra >= 0 && extra <= missing * 6)
        let counted = try #require(explained.coverage) * Double(explained.compared)
        #expect(counted.rounded() >= Double(inside) && counted.rounded() <= Double(inside + extra))
        try engine.stop()
    }

    @Test("an LSTM tells its layers, the norms of h and c, its gates and how long it remembers")
    func lstm() async throws {
        let fixture = try Fixture(method: "lstm")
        let engine = try await fixture.open()
        var dice = SeededGenerator(3)
        let values = (0..<300).map { reading("a", Int64($0) * 10, dice.value(at: Int64($0) * 10)) }
        _ = try await engine.ingest(values)
        guard case .finished(let version, _, let text) = try await fixture.train(engine) else {
            Issue.record("training failed")
            return
        }
        _ = try await engine.promote("house", number: version)
        let explained = try await engine.explanation(of: series("a"))
        #expect(explained.method == "lstm", "\(text)")
        #expect(explained.summary.contains("LSTM(6)"))
        let numbers = Dictionary(explained.findings.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        let hidden = try #require(numbers["hidden state h"])
        let cell = try #require(numbers["cell state c"])
        let state = try await engine.state(of: series("a")).values
        let (h, c) = (state[0..<6], state[6..<12])
        #expect(abs(hidden * hidden * 6 - Double(h.reduce(0) { $0 + $1 * $1 })) < 1e-4)
        #expect(abs(cell * cell * 6 - Double(c.reduce(0) { $0 + $1 * $1 })) < 1e-3)
        let median = try #require(numbers["memory, median unit"])
        let longest = try #require(numbers["memory, longest unit"])
        #expect(median > 0 && longest >= median)
        for name in ["forget gates near 1", "forget gates near 0", "output gates saturated"] {
            #expect((0...100).contains(try #require(numbers[name])))
        }
        try engine.stop()
    }
}

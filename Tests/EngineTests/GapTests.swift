import Engine
import Testing
import TimeSeries

@Suite("Gaps and silence")
struct GapTests {
    @Test("a gap is stepped through for max_gap missing slots and then jumped")
    func gap() async throws {
        let fixture = try Fixture(maxGap: 5)
        let engine = try await fixture.open()
        var outcomes: [[UInt32]] = []
        for (name, gap) in [("a", 3), ("b", 6), ("c", 7), ("d", 900)] {
            let values = (0..<20).map { reading(name, Int64($0) * 10, Double($0 % 4)) }
            _ = try await engine.ingest(values + [reading(name, Int64(20 + gap) * 10, 2)])
            outcomes.append(try await engine.state(of: series(name)).modelValues.map(\.bitPattern))
        }
        // How long the gap was shows in the score state, which waits for truths; the model's own state is what is compared.
        // The damped trend of Holt-Winters moves on with every missing slot, so their number shows in the state.
        #expect(outcomes[0] != outcomes[1])
        #expect(outcomes[1] == outcomes[2])
        #expect(outcomes[2] == outcomes[3])
        try engine.stop()
    }

    @Test("the clock alone changes no state; the forecast of a silent series is a roll-forward marked stale")
    func silence() async throws {
        let fixture = try Fixture()
        let engine = try await fixture.open()
        fixture.clock.set(seconds: Fixture.start + 400)
        _ = try await engine.ingest((0..<40).map { reading("a", Int64($0) * 10, Double($0)) })
        let fresh = try await engine.forecast(of: series("a")).forecast
        let before = try await engine.state(of: series("a")).values
        #expect(!fresh.isStale)
        fixture.clock.advance(seconds: 200)
        let stale = try await engine.forecast(of: series("a")).forecast
        #expect(stale.isStale)
        #expect(stale.origin == fresh.origin + 21)
        #expect(stale.values != fresh.values)
        #expect(try await engine.state(of: series("a")).values.map(\.bitPattern) == before.map(\.bitPattern))
        fixture.clock.set(seconds: 0)
        #expect(try await engine.forecast(of: series("a")).forecast.values == fresh.values)
        try engine.stop()
    }
}

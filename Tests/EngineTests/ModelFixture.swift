import Engine
import TestSupport
import TimeSeries

/// An engine with some series, for tests that change their models.
enum ModelFixture {
    static let names = (0..<12).map { "s\($0)" }

    static func filled(_ fixture: Fixture, slots: Int = 120) async throws -> Engine {
        let engine = try await fixture.open()
        var dice = SeededGenerator(11)
        for name in names {
            _ = try await engine.ingest(
                (0..<slots).map { reading(name, Int64($0) * 10, dice.value(at: Int64($0) * 10)) })
        }
        return engine
    }

    /// What serves each series, and its state.
    static func look(_ engine: Engine) async throws -> [String] {
        var all: [String] = []
        for name in names {
            do {
                let state = try await engine.state(of: series(name))
                let bits = state.values.map(\.bitPattern).reduce(UInt64(0)) { $0 &* 31 &+ UInt64($1) }
                all.append("\(name) \(state.forecaster) \(state.method) \(state.version) \(state.slot) \(bits)")
            } catch { all.append("\(name) \(error)") }
        }
        return all
    }
}

import Engine
import Foundation
import Storage
import TestSupport
import Testing
import TimeSeries

extension Fixture {
    /// Starts an engine on a store that the test can look into.
    func open(
        on store: Store, onFatal: @escaping @Sendable (any Error) -> Void = { fatalError("\($0)") }
    ) async throws -> Engine {
        try await Engine(
            store: store, methods: methods, configuration: configuration, clock: clock, kernel: "test",
            onFatal: onFatal)
    }
}

@Suite("Retention takes nothing that a restart still needs")
struct RetentionReplayTests {
    /// - Parameter retention: in seconds.
    private func fixture(
        method: String = "holt-winters", lateness: Int64 = 32, retention: Int64 = 3_600, sealAfter: Int
    ) throws -> Fixture {
        var fixture = try Fixture(method: method, lateness: lateness)
        fixture.configuration.retention = retention * 1_000_000_000
        fixture.configuration.sealAfter = sealAfter
        // More than what is kept for charts.
        fixture.configuration.forecasters[0].parameters["seasonal-naive"] = ["season": .integer(400)]
        return fixture
    }

    /// Feeds the first `slots` of series a, 300 to a commit, over which it has stepped when this returns.
    private func feed(_ engine: Engine, slots: Int64) async throws {
        var dice = SeededGenerator(3)
        for start in stride(from: 0, to: slots, by: 300) {
            let readings = (start..<min(start + 300, slots)).map { slot in
                reading("a", slot * Fixture.cadence, dice.value(at: slot * Fixture.cadence))
            }
            _ = try await engine.ingest(readings)
            try await engine.heartbeat()
        }
    }

    private func waitUntilSealed(_ store: Store) async throws {
        try await blocking { try wait(until: "everything is in chunks") { store.journalReadings == 0 } }
    }

    /// Removes what is past its retention.
    private func expire(_ engine: Engine) async throws {
        _ = try await engine.expireNow()
        // The expiry makes a step with each; it needs three.
        for _ in 0..<8 { try await engine.heartbeat() }
    }

    /// Lets far more time than the retention pass, which only another series' reading can prove, and removes.
    private func expireLater(_ engine: Engine) async throws {
        _ = try await engine.ingest([reading("b", 990_000, 1)])
        try await expire(engine)
    }

    /// The readings of series a, by second.
    private func content(_ engine: Engine) throws -> [Int64: Double] {
        var content: [Int64: Double] = [:]
        var export = try engine.export(.all, in: .distantPast ... .distantFuture)
        while let piece = try export.next() {
            guard piece.key == reading("a", 0, 0).key else { continue }
            for item in piece.readings { content[item.timestamp.seconds - Fixture.start] = item.value }
        }
        return content
    }

    /// What must not depend on a restart: the slot and the bits of the state, and the forecast's bits.
    ///
    /// The forecast from the newest slot, because one from now on has no seasonal value to repeat.
    private func outcome(_ engine: Engine) async throws -> [Int64] {
        let state = try await engine.state(of: series("a"))
        let forecast = try await engine.forecast(of: series("a"), asOf: state.time).forecast
        return [state.slot] + (state.values + forecast.values).map { Int64($0.bitPattern) }
    }

    @Test(
        "a silent series has its newest slots and its forecast after a restart, although all its readings have expired",
        arguments: ["holt-winters", "seasonal-naive"], [1, 1_000_000])
    func silent(method: String, sealAfter: Int) async throws {
        let fixture = try fixture(method: method, sealAfter: sealAfter)
        let store = try Store(path: fixture.folder.path("nilo.db"))
        let engine = try await fixture.open(on: store)
        try await feed(engine, slots: 3_000)
        if sealAfter == 1 { try await waitUntilSealed(store) }
        try await expireLater(engine)
        let before = try await outcome(engine)
        // What no replay needs has gone.
        let seconds = try content(engine).keys.sorted()
        #expect(seconds.first ?? 0 > 0)
        #expect(seconds.last == 29_990)
        let again = try await fixture.restart(engine)
        #expect(try await outcome(again) == before)
        try again.stop()
    }

    @Test(
        "an epoch without a checkpoint has the readings of its warm-up after a restart, although they have expired",
        arguments: [1, 1_000_000])
    func warmUp(sealAfter: Int) async throws {
        // So late may a reading be that no state after the beginning of the epoch is final, and none is stored.
        let fixture = try fixture(lateness: 100, sealAfter: sealAfter)
        let store = try Store(path: fixture.folder.path("nilo.db"))
        let engine = try await fixture.open(on: store)
        try await feed(engine, slots: 3_000)
        try await engine.reset(series("a"), isWarm: true)
        if sealAfter == 1 { try await waitUntilSealed(store) }
        try await expireLater(engine)
        let before = try await outcome(engine)
        #expect(try content(engine).keys.min() ?? 0 > 0)
        let again = try await fixture.restart(engine)
        #expect(try await outcome(again) == before)
        try again.stop()
    }

    @Test(
        "a late reading of a series without a forecaster counts as late after its readings have expired and a restart",
        arguments: [1, 1_000_000])
    func withoutForecaster(sealAfter: Int) async throws {
        var fixture = try fixture(sealAfter: sealAfter)
        fixture.configuration.forecasters = []
        let store = try Store(path: fixture.folder.path("nilo.db"))
        let engine = try await fixture.open(on: store)
        try await feed(engine, slots: 100)
        if sealAfter == 1 { try await waitUntilSealed(store) }
        try await expireLater(engine)
        let again = try await fixture.restart(engine)
        #expect(try await again.ingest([reading("a", 100, 1)]).late == 1)
        try again.stop()
    }

    @Test("a late correction outlives its retention as long as the value that it corrects")
    func corrected() async throws {
        var fixture = try fixture(retention: 500, sealAfter: 100)
        // Without one, no replay needs the correction.
        fixture.configuration.forecasters = []
        let store = try Store(path: fixture.folder.path("nilo.db"))
        let engine = try await fixture.open(on: store)
        try await feed(engine, slots: 100)
        try await waitUntilSealed(store)
        // In the journal, while the chunk with the older value also holds readings that have not expired.
        #expect(try await engine.ingest([reading("a", 100, 99)]).late == 1)
        try await expire(engine)
        #expect(try content(engine)[100] == 99)
        // It has to go into the chunk before it can leave the journal.
        try await waitUntilSealed(store)
        #expect(try content(engine)[100] == 99)
        let again = try await fixture.restart(engine)
        #expect(try content(again)[100] == 99)
        try again.stop()
    }
}

@Suite("A write that fails is fatal, whatever it was to write")
struct FatalWriteTests {
    @Test("an expiry that is written to a database that was moved away reports it, and is not only tried again")
    func expiry() async throws {
        var fixture = try Fixture()
        fixture.configuration.retention = 3_600_000_000_000
        let (path, aside) = (fixture.folder.path("nilo.db"), fixture.folder.path("aside.db"))
        let fatal = Notices()
        let engine = try await fixture.open(on: Store(path: path), onFatal: { fatal.add("\($0)") })
        _ = try await engine.ingest([reading("a", 0, 1)])
        try FileManager.default.moveItem(atPath: path, toPath: aside)
        _ = try await engine.expireNow()
        for _ in 0..<8 { try await engine.heartbeat() }
        try FileManager.default.moveItem(atPath: aside, toPath: path)
        try engine.stop()
        #expect(fatal.texts.first == "\(StorageError.moved(path: path))")
    }
}

import Engine
import Forecasting
import HoltWintersForecaster
import Storage
import Synchronization
import TestSupport
import Testing
import TimeSeries

/// The slots for which a model gives no answer, counted from that of the first possible reading.
private final class Interruption: Sendable {
    private let state = Mutex<ClosedRange<Slot>?>(nil)
    var slots: ClosedRange<Slot>? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    static let first: Slot = Fixture.start / Fixture.cadence

    func holds(_ slot: Slot) -> Bool { slots?.contains(slot - Self.first) ?? false }
}

/// A method whose models give no answer for some slots, so that closed ones may lack it while the newest has it.
private final class Interrupted: ForecastingMethod {
    let inner = HoltWinters()
    let interruption: Interruption

    init(_ interruption: Interruption) { self.interruption = interruption }

    var manifest: Manifest { inner.manifest }

    func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        InterruptedModel(try inner.load(weights: weights, specification: specification), interruption)
    }
}

private final class InterruptedModel: ForecastModel {
    private let inner: any ForecastModel
    private let interruption: Interruption

    init(_ inner: any ForecastModel, _ interruption: Interruption) {
        (self.inner, self.interruption) = (inner, interruption)
    }

    var stateCount: Int { inner.stateCount }
    var lags: [Int] { inner.lags }
    var initialState: [Float] { inner.initialState }
    var summary: String { inner.summary }

    func advance(_ batch: inout AdvanceBatch) {
        // There is one series, and so one row.
        guard !batch.slots.contains(where: { interruption.holds($0) }) else {
            for row in 0..<batch.count { batch.absent[row] = true }
            return
        }
        inner.advance(&batch)
    }
}

@Suite("Outages reach the database, whatever else is written")
struct OutageLogTests {
    private func fixture(_ interruption: Interruption) throws -> Fixture {
        var fixture = try Fixture()
        fixture.methods = [Interrupted(interruption)]
        fixture.configuration.forecasters[0].opponents = []
        return fixture
    }

    /// Feeds `slots` in one commit, over which the series has stepped when this returns.
    private func feed(_ engine: Engine, _ slots: Range<Slot>) async throws {
        _ = try await engine.ingest(slots.map { reading("1", $0 * Fixture.cadence, 20 + Double($0 % 7)) })
        _ = try await engine.state(of: series("1"))
    }

    @Test("outages after the last commit are stored by a stop, and the next start replays them, bit for bit")
    func stopped() async throws {
        let interruption = Interruption()
        let fixture = try fixture(interruption)
        let engine = try await fixture.open()
        try await feed(engine, 0..<60)
        interruption.slots = 60...78
        // The slots close in the steps after the commit, so there is no other commit that could take the outages along.
        try await feed(engine, 60..<80)
        let before = try await Outcome(engine, "1")
        try engine.stop()
        // From now on there would be an answer for them.
        interruption.slots = nil
        let again = try await fixture.open()
        #expect(try await Outcome(again, "1") == before)
        try again.stop()
    }

    @Test("outages are stored although no reading follows")
    func withoutCommit() async throws {
        let interruption = Interruption()
        let fixture = try fixture(interruption)
        let store = try Store(path: fixture.folder.path("nilo.db"))
        let engine = try await fixture.open(on: store)
        try await feed(engine, 0..<60)
        interruption.slots = 60...78
        try await feed(engine, 60..<80)
        try await blocking { try wait(until: "the outage is stored") { try !store.outages().isEmpty } }
        #expect(try store.outages().map(\.slots) == [Interruption.first + 60...Interruption.first + 78])
        try engine.stop()
    }

    @Test("an outage that grows back over an earlier one's beginning, and then beyond its end, is replayed whole")
    func overlapping() async throws {
        let interruption = Interruption()
        let fixture = try fixture(interruption)
        let engine = try await fixture.open()
        try await feed(engine, 0..<60)
        interruption.slots = 0...1_000_000
        try await feed(engine, 60..<73)
        // The correction takes the answers of the slots before the outage away, and so makes it begin earlier.
        _ = try await engine.ingest([reading("1", 50 * Fixture.cadence, 30)])
        _ = try await engine.state(of: series("1"))
        // These slots are only in the range that begins earlier.
        try await feed(engine, 73..<80)
        interruption.slots = nil
        try await feed(engine, 80..<90)
        let before = try await Outcome(engine, "1")
        let again = try await fixture.restart(engine)
        #expect(try await Outcome(again, "1") == before)
        try again.stop()
    }
}

import Engine
import Foundation
import TestSupport
import Testing

@Suite("Requests to train", .timeLimit(.minutes(10)))
struct RetrainingRequestTests {
    /// Runs that fail at once, so that whoever asks again does so while the run before is being recorded.
    private func retraining(_ engine: Engine, _ fixture: Fixture) -> Retraining {
        Retraining(engine: engine, folder: fixture.folder.url.appending(path: "training")) { _, _ in
            throw TestError("the child would not start")
        }
    }

    private func outcome(of events: AsyncStream<RetrainingEvent>) async -> RetrainingEvent? {
        var last: RetrainingEvent?
        for await event in events { last = event }
        return last
    }

    @Test("whoever asks again as soon as a run has ended gets an answer too")
    func oneAfterTheOther() async throws {
        let fixture = try Fixture(method: "lstm")
        let engine = try await fixture.open()
        let retraining = retraining(engine, fixture)
        for _ in 0..<50 {
            guard case .failed = await outcome(of: try await retraining.request("house")) else {
                Issue.record("a request ended without the outcome of its run")
                return
            }
        }
        #expect(await retraining.running == nil)
        try engine.stop()
    }

    @Test("requests that wait when the daemon stops are told so")
    func stopping() async throws {
        var fixture = try Fixture(method: "lstm")
        var other = fixture.configuration.forecasters[0]
        other.name = "other"
        fixture.configuration.forecasters.append(other)
        let engine = try await fixture.open()
        let retraining = retraining(engine, fixture)
        var running: [AsyncStream<RetrainingEvent>] = []
        for name in ["house", "other"] { running.append(try await retraining.request(name)) }
        await retraining.stop()
        for events in running {
            guard case .failed = await outcome(of: events) else {
                Issue.record("a request was forgotten")
                return
            }
        }
        try engine.stop()
    }
}

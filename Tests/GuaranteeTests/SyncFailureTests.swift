import ControlInterface
import Foundation
import TestSupport
import Testing
import Varlink

@Suite("Promise 9: a failed sync is never taken for a good one")
struct SyncFailureTests {
    @Test("when a sync fails nothing more is acknowledged, the daemon ends with 74, and the next start has what was")
    func failedSync() throws {
        let folder = try TemporaryFolder()
        guard var environment = try WriteTrace.recorder(in: folder) else { return }
        let marker = folder.path("broken")
        environment["SYNC_FAILS"] = marker
        let daemon = try Daemon(in: folder, Load.configuration, environment: environment)
        let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: Load.lines(0..<5)))
        _ = try folder.write("", to: "broken")
        #expect(throws: (any Error).self) {
            let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: Load.lines(5..<9)))
        }
        #expect(daemon.process.wait() == 74)
        #expect(daemon.process.standardError.contains("what is on disk is not known any more"))
        let again = try Daemon(in: folder, Load.configuration)
        #expect(try Remains.readings(again).count >= 20)
        #expect(again.stop() == 0, "\(again.process.standardError)")
    }
}

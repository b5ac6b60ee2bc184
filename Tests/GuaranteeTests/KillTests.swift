import ControlInterface
import Foundation
import TestSupport
import Testing
import Varlink

@Suite("Promises 1 and 2: kill -9 at any moment changes nothing")
struct KillTests {
    private static let slots = 300
    private static let batches = Load.batches(after: slots, count: 160)
    private static let progress = KillProgress()
    /// A database with a trained model in service, made once for all worlds, since training takes longer than a kill.
    private static let prepared: Result<TemporaryFolder, any Error> = Result {
        let folder = try TemporaryFolder()
        let daemon = try Daemon(in: folder, Load.configuration)
        try Load.prepare(daemon, slots: slots)
        guard daemon.stop() == 0 else { throw TestError(daemon.process.standardError) }
        return folder
    }
    private static let expected = Result { try uninterrupted() }

    /// A world of its own that begins with the prepared database.
    private static func begin() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("state"), withIntermediateDirectories: true)
        let database = try prepared.get().path("state/nilo.db")
        try FileManager.default.copyItem(atPath: database, toPath: folder.path("state/nilo.db"))
        return folder
    }

    /// A daemon that is never killed, fed the same readings.
    private static func uninterrupted(promoteAgain: Bool = false) throws -> Remains {
        let daemon = try Daemon(in: try begin(), Load.configuration)
        for batch in batches {
            let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: batch))
        }
        if promoteAgain { try Load.promote(daemon, 3) }
        let remains = try Remains(daemon)
        #expect(remains.states.allSatisfy { $0.hasPrefix("lstm 3") })
        #expect(daemon.stop() == 0)
        return remains
    }

    /// How one life of the daemon ends.
    private enum End {
        /// The process kills itself inside a transaction.
        case failpoint(String)
        /// The test kills it while a batch is on its way, after so many acknowledgements.
        case during(Int)
    }

    /// Nine lives; one before them ends in a migration.
    private static func ends(_ dice: inout SeededGenerator) -> [End] {
        let random = (0..<4).map { _ in End.during(Int.random(in: 0..<9, using: &dice)) }
        let commits = (0..<2).map { _ in End.failpoint("commit=\(Int.random(in: 1...8, using: &dice))") }
        let seal = End.failpoint("seal=\(Int.random(in: 1...2, using: &dice))")
        let other = ["committed=\(Int.random(in: 1...4, using: &dice))", "promotion=1"].randomElement(using: &dice)
        return (random + commits + [seal, .failpoint(other ?? "committed=1")] + [.during(0)]).shuffled(using: &dice)
    }

    @Test(
        "kills under load, four of ten inside a commit, a seal and a migration: the same readings, states and forecasts",
        arguments: 0..<2)
    func kills(worker: Int) throws {
        let expected = try Self.expected.get()
        // A soak goes through other lives each time it is longer.
        var dice = SeededGenerator(UInt64(worker) + 1)
        while Self.progress.wantsMore { Self.progress.note(try Self.world(expected, &dice)) }
    }

    /// Kills the daemons of one database, ten or twenty of them, and compares what remains.
    ///
    /// - Returns: how often it was killed.
    private static func world(_ expected: Remains, _ dice: inout SeededGenerator) throws -> Int {
        let folder = try begin()
        let log = folder.path("failpoints")
        var (acknowledged, rounds) = (0, 0)
        // Ten kills take about fifty batches, and never a hundred.
        while rounds < 2, batches.count - acknowledged >= 100 {
            rounds += 1
            try Sabotage(folder.path("state/nilo.db")).goBackToSchema5()
            try killInMigration(folder, log, &dice)
            for end in ends(&dice) { try life(folder, until: end, log, &acknowledged) }
        }
        let daemon = try Daemon(in: folder, Load.configuration)
        for batch in batches[acknowledged...] {
            let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: batch))
        }
        let found = try Remains(daemon)
        #expect(found.readings == expected.readings)
        #expect(found.states == expected.states)
        #expect(found.forecasts == expected.forecasts)
        #expect(daemon.stop() == 0)
        let hits = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
        #expect(hits.count { $0 == "migration" } == rounds)
        #expect(hits.count { $0 == "commit" } == 2 * rounds)
        #expect(hits.count { $0 == "seal" } == rounds)
        try FileManager.default.removeItem(at: folder.url)
        return 10 * rounds
    }

    /// One life of the daemon, from a start that has everything that was acknowledged to a kill.
    private static func life(
        _ folder: TemporaryFolder, until end: End, _ log: String, _ acknowledged: inout Int
    ) throws {
        var environment: [String: String] = [:]
        if case .failpoint(let name) = end {
            environment = ["NILOMETER_FAILPOINT": name, "NILOMETER_FAILPOINT_LOG": log]
        }
        let hits = Self.hits(log)
        let daemon: Daemon
        do {
            daemon = try Daemon(in: folder, Load.configuration, environment: environment)
            let found = try Remains.readings(daemon)
            let sent = Load.names.count * (slots + 3 * acknowledged)
            #expect(found.count >= sent, "\(found.count) readings after \(acknowledged) acknowledged batches")
        } catch {
            // It goes on sealing when it starts, and may come to the failpoint before anybody has fed it.
            guard Self.hits(log) > hits else { throw error }
            return
        }
        try live(daemon, until: end, &acknowledged)
    }

    private static func hits(_ log: String) -> Int {
        ((try? String(contentsOfFile: log, encoding: .utf8)) ?? "").split(separator: "\n").count
    }

    /// In the first or in the second of two that are due.
    private static func killInMigration(_ folder: TemporaryFolder, _ log: String, _ dice: inout SeededGenerator) throws
    {
        let number = Int.random(in: 1...2, using: &dice)
        #expect(throws: TestError.self) {
            _ = try Daemon(
                in: folder, Load.configuration,
                environment: [
                    "NILOMETER_FAILPOINT": "migration=\(number)", "NILOMETER_FAILPOINT_LOG": log,
                ])
        }
    }

    /// Feeds the daemon until it dies.
    private static func live(_ daemon: Daemon, until end: End, _ acknowledged: inout Int) throws {
        var left = Int.max
        switch end {
        case .during(let count): left = count
        case .failpoint("promotion=1"):
            #expect(throws: ConnectionError.self) { try Load.promote(daemon, 3) }
            return _ = daemon.process.wait()
        case .failpoint: break
        }
        // On a busy machine the kill may be late: it is waited for, before it has cost the next lives their batches.
        while acknowledged < batches.count, left > -20 {
            if left == 0 {
                let process = daemon.process
                Thread.detachNewThread { process.kill() }
            }
            left -= 1
            do {
                let _: Control.Ingest.Reply = try daemon.call(
                    "Ingest", Control.Ingest.Request(text: batches[acknowledged]))
                acknowledged += 1
            } catch is ConnectionError {
                break
            }
        }
        guard acknowledged < batches.count else { throw TestError("\(end) did not come before the batches ended") }
        let status = daemon.process.wait()
        #expect(status == 128 + SIGKILL)
    }

    @Test("a kill inside a promotion leaves the model before; the promotion can be made again")
    func promotion() throws {
        let expected = try Self.uninterrupted(promoteAgain: true)
        let folder = try Self.begin()
        var daemon = try Daemon(in: folder, Load.configuration)
        for batch in Self.batches {
            let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: batch))
        }
        let before = try Remains(daemon)
        #expect(daemon.stop() == 0)
        daemon = try Daemon(in: folder, Load.configuration, environment: ["NILOMETER_FAILPOINT": "promotion=1"])
        #expect(throws: ConnectionError.self) { try Load.promote(daemon, 3) }
        #expect(daemon.process.wait() == 128 + SIGKILL)
        daemon = try Daemon(in: folder, Load.configuration)
        #expect(try Remains(daemon) == before)
        try Load.promote(daemon, 3)
        #expect(try Remains(daemon) == expected)
        #expect(daemon.stop() == 0)
    }

    @Test("a kill inside a migration leaves a database that the next start brings up to date")
    func migration() throws {
        let folder = try TemporaryFolder()
        let log = folder.path("failpoints")
        var dice = SeededGenerator(3)
        try Self.killInMigration(folder, log, &dice)
        #expect(try String(contentsOfFile: log, encoding: .utf8) == "migration\n")
        let daemon = try Daemon(in: folder, Load.configuration)
        let reply: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: Load.lines(0..<2)))
        #expect(reply.accepted == 8)
        #expect(daemon.stop() == 0)
    }
}

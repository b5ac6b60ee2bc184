import ControlInterface
import Foundation
import TestSupport
import Testing

@Suite("Promise 9: what a database says instead of what it should is refused or harmless")
struct HandEditTests {
    private static let isSoak = ProcessInfo.processInfo.environment["NILOMETER_SOAK"] != nil

    /// Of no kind, of another kind, and out of every range.
    private static let wrong = ["NULL", "'x'", "x'FFFE'", "0.5", "9223372036854775807", "-9223372036854775808"]

    /// Everything that reads the database, one way or another.
    private static let questions: [(method: String, parameters: [String: String])] = [
        ("GetStatus", [:]), ("Examine", [:]), ("ListSeries", [:]), ("ListForecasters", [:]), ("GetScores", [:]),
        ("ListModels", ["forecaster": "house"]), ("GetState", ["series": "room,id=1 t"]),
        ("GetForecast", ["series": "room,id=1 t"]), ("Explain", ["series": "room,id=1 t"]),
        ("Rollback", ["forecaster": "house"]),
    ]

    @Test("a daemon whose database is edited by hand while it runs answers or ends with a reason, and never crashes")
    func running() throws {
        let original = try Original()
        let columns = try Sabotage(original.folder.path("state/nilo.db")).columns()
        for (number, value) in Self.wrong.enumerated() {
            let folder = try Self.folder(original)
            let database = folder.path("state/nilo.db")
            var daemon = try Self.daemon(in: folder)
            for (place, column) in columns.enumerated() where Self.isSoak || (place + number) % 6 == 0 {
                // Some columns take no such value.
                guard Self.write(value, column, in: database) else { continue }
                for question in Self.questions {
                    let _: [String: String]? = try? daemon.call(question.method, question.parameters)
                }
                _ = try? Remains.readings(daemon)
                let _: Control.Ingest.Reply? = try? daemon.call(
                    "Ingest", Control.Ingest.Request(text: Load.lines(480..<481)))
                daemon.kill()
                let end = daemon.process.wait()
                #expect(end == 128 + SIGKILL || end < 128, "\(column) \(value): \(daemon.process.standardError)")
                try original.copy(to: database)
                daemon = try Self.daemon(in: folder)
            }
            daemon.kill()
        }
    }

    @Test("a start on a database edited by hand gives a reason or is as good as before, and never crashes")
    func starts() throws {
        let original = try Original()
        let columns = try Sabotage(original.folder.path("state/nilo.db")).columns()
        let folder = try Self.folder(original)
        let database = folder.path("state/nilo.db")
        var refused = 0
        for (number, value) in Self.wrong.enumerated() {
            for (place, column) in columns.enumerated() where Self.isSoak || (place + number) % 6 == 1 {
                try original.copy(to: database)
                guard Self.write(value, column, in: database) else { continue }
                do {
                    try Daemon(in: folder, Load.configuration).kill()
                } catch let error as TestError {
                    #expect(error.description.contains("(74)"), "\(column) \(value): \(error)")
                    refused += 1
                }
            }
        }
        #expect(refused > 20)
    }

    /// A daemon in whose database every column may say nothing: it would not have started on such a one.
    private static func daemon(in folder: TemporaryFolder) throws -> Daemon {
        let daemon = try Daemon(in: folder, Load.configuration)
        try Sabotage(folder.path("state/nilo.db")).allowNulls()
        return daemon
    }

    private static func folder(_ original: Original) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path("state"), withIntermediateDirectories: true)
        try original.copy(to: folder.path("state/nilo.db"))
        return folder
    }

    /// In as many rows as its key allows.
    ///
    /// - Returns: false if SQLite refuses.
    private static func write(_ value: String, _ column: (table: String, name: String), in database: String) -> Bool {
        (try? Sabotage(database).run("UPDATE OR IGNORE \(column.table) SET \(column.name) = \(value)")) != nil
    }
}

import ControlInterface
import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Training beside the daemon")
struct TrainingTests {
    /// Trains for minutes, if it is let.
    private static let patient = """
        [[series]]
        select = "*"
        cadence = "10s"

        [[forecaster]]
        name = "house"
        series = ["*"]
        horizon = 6

        [forecaster.parameters.lstm]
        steps = 100000
        units = 64
        """

    @Test("stopping ends a training run at once, and its child is gone")
    func cancelled() throws {
        let folder = try TemporaryFolder()
        let daemon = try Daemon(in: folder, Self.patient)
        let file = try folder.write(lines("1", 0..<600), to: "readings.lp")
        #expect(try Niloctl(daemon.socket, "ingest", file).code == 0)
        let question = Control.Retrain.Request(forecaster: "house")
        let connection = try daemon.connect()
        try connection.stream(Control.qualified("Retrain"), question, as: Control.Retrain.Reply.self) {
            $0.phase != "training"
        }
        let children = try Self.children(of: daemon.process.pid)
        #expect(children.count == 1)
        #expect(try Niloctl(daemon.socket, "status", "--json").json.first?["training"] as? String == "house")
        // The daemon answers while it trains, and a second request joins the run instead of starting another.
        #expect(try Niloctl(daemon.socket, "forecast", "room,id=1 t").code == 0)
        #expect(try Niloctl(daemon.socket, "retrain", "house").code == 0)
        #expect(try Self.children(of: daemon.process.pid) == children)
        #expect(daemon.stop() == 0)
        for child in children { #expect(!FileManager.default.fileExists(atPath: "/proc/\(child)/exe")) }
    }

    private static func children(of pid: Int32) throws -> [String] {
        let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
        return tasks.flatMap { task in
            let list = try? String(contentsOfFile: "/proc/\(pid)/task/\(task)/children", encoding: .utf8)
            return (list ?? "").split(separator: " ").map(String.init)
        }.sorted()
    }

    @Test("retrain --wait tells how it ended, and models shows the holdout scores beside those of the opponents")
    func models() throws {
        let folder = try TemporaryFolder()
        let daemon = try Daemon(in: folder, Self.patient.replacing("100000", with: "40").replacing("64", with: "8"))
        let file = try folder.write(lines("1", 0..<400), to: "readings.lp")
        #expect(try Niloctl(daemon.socket, "ingest", file).code == 0)
        let trained = try Niloctl(daemon.socket, "retrain", "house", "--wait")
        #expect(trained.code == 0)
        #expect(trained.output.hasPrefix("version 3 serves "))
        let models = try #require(try Niloctl(daemon.socket, "models", "house", "--json").json.first)
        let versions = try #require(models["models"] as? [[String: Any]])
        let holdout = try #require(versions.last?["holdout"] as? [[String: Any]])
        #expect(
            Set(holdout.compactMap { $0["contender"] as? String }) == [
                "lstm (new)", "holt-winters v1", "seasonal-naive v2",
            ])
        let history = try Niloctl(daemon.socket, "models", "house", "--history")
        #expect(history.code == 0)
        #expect(history.output.split(separator: "\n").last?.contains("version 3 serves ") ?? false)
        let refused = try Niloctl(daemon.socket, "models", "house", "--history", "--limit", "1001")
        #expect(refused.code != 0 && refused.errors.contains("limit: expected 1 to 1000, found 1001"))
        #expect(daemon.stop() == 0)
    }
}

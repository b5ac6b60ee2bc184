import Foundation
import Varlink

/// A real `nilod` with a trained LSTM that serves every series.
final class Nilod {
    private let folder: Folder
    private let child: Child
    private let control: VarlinkClient
    let socket: String
    private let port = UInt16.random(in: 20_000..<60_000)

    var pid: Int32 { child.pid }

    /// - Parameter sealAfter: readings in the journal before it is sealed; nil: as the daemon does by itself.
    init(trainingSteps: Int = 40, recipe: String = "plain", sealAfter: Int? = nil) throws {
        folder = try Folder()
        socket = folder.path + "/s"
        let file = folder.path + "/nilod.toml"
        let seal = sealAfter.map { "seal_after = \($0)\n" } ?? ""
        try (seal + Self.configuration(port: port, steps: trainingSteps, recipe)).write(
            toFile: file, atomically: true, encoding: .utf8)
        let program =
            ProcessInfo.processInfo.environment["NILOD"]
            ?? URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "nilod").path
        child = try Child(
            program, ["--config", file, "--state-dir", folder.path + "/state", "--socket", socket],
            log: folder.path + "/log")
        let (socket, port) = (socket, port)
        control = try child.waiting { try VarlinkClient(path: socket) }
        _ = try child.waiting { try Connection(port: port) }
    }

    /// The plain LSTM of the design: 32 units, a direct head, three quantiles of one lead; or the recipe as it is.
    private static func configuration(port: UInt16, steps: Int, _ recipe: String) -> String {
        let isPlain = recipe == "plain"
        let quantiles = isPlain ? "[0.05, 0.5, 0.95]" : "[0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975]"
        return """
            [[source]]
            kind = "http"
            listen = "\(port)"

            [[series]]
            select = "*"
            cadence = "1m"

            [[forecaster]]
            name = "house"
            method = "lstm"
            series = ["*"]
            horizon = \(isPlain ? 1 : 24)
            quantiles = \(quantiles)
            retrain = "never"
            opponents = ["seasonal-naive"]
            warm_up = 48
            training_slots = \(isPlain ? 100 : 160)

            [forecaster.parameters.lstm]
            recipe = "\(recipe)"
            units = \(isPlain ? 32 : 0)
            steps = \(steps)
            batch = 32
            """
    }

    /// Feeds `slots` of `load`: each sender waits for the acknowledgement of a request before its next.
    ///
    /// - Returns: the seconds until every series has stepped over everything.
    func feed(_ load: Load, _ slots: Range<Int>, _ shape: Shape = Shape()) throws -> Double {
        let (requests, port) = (load.requests(slots, shape), port)
        let seconds = timed(shape.senders) { sender in
            let connection = try Connection(port: port)
            for request in requests[sender] { try connection.post("/write", request, status: "204") }
        }
        return try seconds + settle(load)
    }

    private struct OfSeries: Encodable { var series: String }
    private struct OfForecaster: Encodable { var forecaster: String }
    private struct ToPromote: Encodable {
        var forecaster: String
        var version: Int
    }
    struct Event: Decodable {
        var phase: String
        var text: String
        var version: Int?
    }
    private struct Nothing: Decodable {}

    /// Asks for forecasts, which are given once their series are up to date.
    private func settle(_ load: Load) throws -> Double {
        let clock = ContinuousClock()
        let took = try clock.measure {
            for id in [0, load.seriesCount / 2, load.seriesCount - 1] {
                _ = try control.call(
                    "org.nilometer.Control.GetForecast", OfSeries(series: "room,id=\(id) t"), as: Nothing.self)
            }
        }
        return Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
    }

    /// Trains; `started` is called once the child is at work.
    ///
    /// - Returns: the new version.
    static func train(_ socket: String, started: () -> Void = {}) throws -> Int {
        var last: Event?
        var isStarted = false
        try VarlinkClient(path: socket).stream(
            "org.nilometer.Control.Retrain", OfForecaster(forecaster: "house"), as: Event.self
        ) { event in
            if event.phase == "training", !isStarted {
                isStarted = true
                started()
            }
            last = event
            return true
        }
        guard let version = last?.version else { throw Failure("training failed: \(last?.text ?? "no answer")") }
        return version
    }

    /// Feeds a beginning, trains, and lets the LSTM serve every series.
    func prepare(_ load: Load, slots: Int) throws {
        _ = try feed(load, 0..<slots)
        let version = try Self.train(socket)
        _ = try control.call(
            "org.nilometer.Control.Promote", ToPromote(forecaster: "house", version: version), as: Nothing.self)
        _ = try settle(load)
    }
}

import ControlInterface
import Foundation
import TestSupport
import Testing

@Suite("The examples of plugins")
struct ExampleTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A copy of an example, as an author would have it.
    private func copy(_ name: String) throws -> String {
        let target = folder.url.appending(path: name)
        let source = root.appending(path: "Plugins/Examples/\(name)")
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        for file in try FileManager.default.contentsOfDirectory(atPath: source.path) where file != "venv" {
            try FileManager.default.copyItem(at: source.appending(path: file), to: target.appending(path: file))
        }
        return target.path
    }

    private func check(_ folder: String) throws -> (code: Int32, output: String) {
        let child = try ChildProcess("niloctl", ["plugin", "check", folder])
        return (child.wait(), child.standardOutput + child.standardError)
    }

    /// Debian's and PyPI's packages of all tests are kept in the build folder.
    ///
    /// - Parameter switch: the variable without which nothing is fetched; nil: it is small enough for everybody.
    private func environment(
        _ packages: String..., switch variable: String? = nil, patience seconds: Int = 120
    ) throws -> String? {
        guard try Tool.path("python3", package: "python3") != nil else { return nil }
        let target = root.appending(path: ".build/outside/\(packages[0])-plugin").path
        if FileManager.default.fileExists(atPath: target + "/ready") { return target }
        if let variable, ProcessInfo.processInfo.environment[variable] != "1" {
            skip("\(packages[0]) is large; with \(variable)=1 this test fetches it from PyPI")
            return nil
        }
        let names = packages.joined(separator: " ")
        let script = """
            python3 -m venv --clear '\(target)' && '\(target)/bin/python' -m pip install -q \
            --disable-pip-version-check \(names) && touch '\(target)/ready'
            """
        let child = try ChildProcess("/usr/bin/timeout", ["\(seconds)", "/bin/sh", "-c", script])
        guard child.wait() == 0 else {
            skip("PyPI's \(names) could not be installed: \(child.standardError.suffix(300))")
            return nil
        }
        return target
    }

    @Test("the one in C needs a compiler alone, and does all that a plugin has to")
    func c() throws {
        guard let compiler = try Tool.path("clang", package: "clang") else { return }
        let example = try copy("c-drift")
        let arguments = ["-O2", "-Wall", "-Wextra", "-Werror", "-o", example + "/drift", example + "/drift.c", "-lm"]
        let compiled = try ChildProcess(compiler, arguments)
        #expect(compiled.wait() == 0, "\(compiled.standardError)")
        let (code, output) = try check(example)
        #expect(code == 0, "\(output)")
    }

    @Test("the one in Python does all that a plugin has to")
    func python() throws {
        guard let environment = try environment("varlink") else { return }
        let example = try copy("python-theil-sen")
        try FileManager.default.createSymbolicLink(atPath: example + "/venv", withDestinationPath: environment)
        let (code, output) = try check(example)
        #expect(code == 0, "\(output)")
    }

    @Test("a stateful LSTM of Keras trains, and is stepped from states that are handed in")
    func keras() throws {
        let found = try environment("keras", "jax", "varlink", switch: "NILOMETER_KERAS", patience: 900)
        guard let environment = found else { return }
        let example = try copy("keras-lstm")
        try FileManager.default.createSymbolicLink(atPath: example + "/venv", withDestinationPath: environment)
        let (code, output) = try check(example)
        #expect(code == 0, "\(output)")
    }

    @Test("a plugin serves until the first training, takes part in its contest, and niloctl plugins shows it")
    func contest() throws {
        guard let compiler = try Tool.path("clang", package: "clang") else { return }
        let example = try copy("c-drift")
        let compiled = try ChildProcess(compiler, ["-O2", "-o", example + "/drift", example + "/drift.c", "-lm"])
        #expect(compiled.wait() == 0)
        let daemon = try Daemon(
            in: folder,
            """
            plugin_path = ["\(folder.url.path)"]
            [[series]]
            select = "*"
            cadence = "10s"
            [[forecaster]]
            name = "house"
            horizon = 4
            opponents = ["c-drift", "seasonal-naive"]
            [forecaster.parameters.lstm]
            steps = 20
            units = 4
            [forecaster.parameters.c-drift]
            memory = 32
            """)
        let text = (0..<300).map { "room,id=1 t=\($0 % 7) \((1_750_000_000 + $0 * 10) * 1_000_000_000)\n" }.joined()
        let _: Control.Ingest.Reply = try daemon.call("Ingest", Control.Ingest.Request(text: text))
        let forecast: Control.GetForecast.Reply = try daemon.call(
            "GetForecast", Control.GetForecast.Request(series: "room,id=1 t"))
        #expect(forecast.forecast.method == "c-drift")
        let trained = try ChildProcess("niloctl", ["retrain", "house", "--wait", "--socket", daemon.socket])
        #expect(trained.wait() == 0, "\(trained.standardError)")
        let models: Control.ListModels.Reply = try daemon.call(
            "ListModels", Control.ListModels.Request(forecaster: "house"))
        let holdout = try #require(models.models.last?.holdout)
        let drift = try #require(holdout.first { $0.contender == "c-drift v1" })
        #expect(drift.pinball.isFinite && drift.series == 1)
        let plugins = try ChildProcess("niloctl", ["plugins", "--socket", daemon.socket])
        #expect(plugins.wait() == 0)
        #expect(plugins.standardOutput.contains("c-drift"))
        #expect(daemon.stop() == 0)
    }

    @Test("a plugin that breaks its promises is told which")
    func broken() throws {
        guard let compiler = try Tool.path("clang", package: "clang") else { return }
        let example = try copy("c-drift")
        let source = try String(contentsOfFile: example + "/drift.c", encoding: .utf8)
        // A state that lives on in the process instead of with the daemon.
        let counting = source.replacing(
            "    if (!isnan(value)) {", with: "    static int seen;\n    state[1] += ++seen;\n    if (!isnan(value)) {")
        #expect(counting != source)
        try counting.write(toFile: example + "/drift.c", atomically: true, encoding: .utf8)
        let compiled = try ChildProcess(compiler, ["-o", example + "/drift", example + "/drift.c", "-lm"])
        #expect(compiled.wait() == 0)
        let (code, output) = try check(example)
        #expect(code == 65)
        #expect(output.contains("FAIL the same call gives the same bits"), "\(output)")
    }
}

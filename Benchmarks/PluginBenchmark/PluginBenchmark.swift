import Forecasting
import Foundation
import PluginHost
import SeasonalNaiveForecaster
import TimeSeries

/// What a step costs when the model lives in another process: per call, and per series of a call.
///
///     PluginBenchmark NILOD [FOLDER NAME]...     each FOLDER with a plugin.toml of that name without parameters needed
///
/// Prints a row of a table for each plugin: one Swift child of NILOD's own, then those that are named.
@main
enum PluginBenchmark {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard let nilod = arguments.first, arguments.count % 2 == 1 else {
            print("usage: PluginBenchmark NILOD [FOLDER NAME]...")
            exit(64)
        }
        print("| child | a call of one series, p50, µs | p99, µs | of 1,000 series, p50, µs | per series, µs |")
        print("|---|---:|---:|---:|---:|")
        let naive = SeasonalNaive()
        try measure(
            "Swift, nilod plugin seasonal-naive", naive.manifest, [nilod, "plugin", "seasonal-naive"], "/", nilod)
        for place in stride(from: 1, to: arguments.count, by: 2) {
            let (folder, name) = (arguments[place], arguments[place + 1])
            let manifest = Manifest(name: name, version: "1", summary: "", parameters: [])
            let command = try Self.command(folder)
            try measure(name, manifest, command, folder, nilod)
        }
    }

    /// The command of a plugin.toml, which has it on one line.
    private static func command(_ folder: String) throws -> [String] {
        let text = try String(contentsOfFile: folder + "/plugin.toml", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("command") } ?? ""
        return line.split(separator: "\"").enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }

    private static func measure(
        _ label: String, _ manifest: Manifest, _ command: [String], _ folder: String, _ nilod: String
    ) throws {
        let plugin = PluginManifest(
            manifest: manifest, command: command, folder: folder, isTrainable: false, deadline: .seconds(10))
        let files = NSTemporaryDirectory() + "plugin-benchmark-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: files) }
        let catalog = PluginCatalog([.usable(plugin)], launcher: nilod, folder: files) { print("\($0): \($1)") }
        defer { catalog.stop() }
        guard let quantiles = QuantileLevels([0.05, 0.5, 0.95]), let method = catalog.methods.first else { return }
        let specification = ForecastSpecification(horizon: 24, quantiles: quantiles)
        let model = try method.load(weights: [], specification: specification)
        let one = try times(of: model, rows: 1, calls: 5_000)
        let many = try times(of: model, rows: 1_000, calls: 100)
        let slope = (many[many.count / 2] - one[one.count / 2]) / 999
        print(
            "| \(label) | \(text(one[one.count / 2])) | \(text(one[one.count * 99 / 100])) "
                + "| \(text(many[many.count / 2])) | \(text(slope)) |")
    }

    /// In microseconds, ascending.
    private static func times(of model: any ForecastModel, rows: Int, calls: Int) throws -> [Double] {
        var batch = AdvanceBatch(count: rows, model: model, forecastCount: 72, wantsForecasts: true)
        var states = (0..<rows).flatMap { _ in model.initialState }
        var times: [Double] = []
        for call in 0..<calls + calls / 10 {
            batch.reset(count: rows, model: model, forecastCount: 72, wantsForecasts: true)
            batch.states = states
            for row in 0..<rows {
                batch.values[row] = Float((row + call) % 17)
                for lag in 0..<model.lags.count { batch.lagged[row * model.lags.count + lag] = Float((row + lag) % 13) }
            }
            let start = ContinuousClock.now
            model.advance(&batch)
            let took = (ContinuousClock.now - start) / .microseconds(1)
            guard !batch.absent.contains(true) else {
                print("a call had no answer")
                exit(1)
            }
            states = batch.states
            if call >= calls / 10 { times.append(took) }
        }
        return times.sorted()
    }

    private static func text(_ microseconds: Double) -> String { String(format: "%.1f", microseconds) }
}

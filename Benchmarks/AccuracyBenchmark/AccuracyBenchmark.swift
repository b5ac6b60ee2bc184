/// Runs a method over the open data of a folder with a `protocol.json`, straight through the plugins' contract: trains on
/// the rows before `warm`, then steps row by row, and writes what every expert forecasts.
import Forecasting
import Foundation
import LSTMForecaster
import LinearARForecaster
import TimeSeries

@main struct AccuracyBenchmark {
    static let methods: [any TrainableMethod] = [LSTMMethod(), LinearAR()]

    static func main() throws {
        var arguments = CommandLine.arguments.dropFirst()
        guard let data = arguments.popFirst(), let out = arguments.popFirst() else {
            print("usage: AccuracyBenchmark FOLDER OUT [method=lstm] [sets=ett,air] [PARAMETER=VALUE …]")
            return
        }
        var parameters: Parameters = [:]
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            if parts.count == 2 { parameters[parts[0]] = value(parts[1]) }
        }
        let name = parameters.removeValue(forKey: "method")?.description.filter { $0 != "\"" } ?? "lstm"
        let sets = parameters.removeValue(forKey: "sets")?.description.filter { $0 != "\"" }
            .split(separator: ",").map(String.init)
        guard let method = methods.first(where: { $0.manifest.name == name }) else { return print("no such method") }
        try run(method, parameters, URL(filePath: data), URL(filePath: out), sets)
    }

    private static func value(_ text: String) -> ParameterValue {
        if let number = Int(text) { return .integer(number) }
        if let number = Double(text) { return .number(number) }
        return text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : .string(text)
    }

    private static func run(
        _ method: any TrainableMethod, _ parameters: Parameters, _ folder: URL, _ out: URL, _ sets: [String]?
    ) throws {
        let plan = try StreamProtocol(contentsOf: folder.appending(path: "protocol.json"))
        guard let levels = QuantileLevels(plan.quantiles), let open = plan.datasets["open"] else { return }
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
        var writer = try ForecastWriter(out)
        for (number, (name, dataset)) in open.sorted(by: { $0.key < $1.key }).enumerated()
        where sets?.contains(name) ?? true {
            let file = folder.appending(path: "data/open").appending(path: dataset.file)
            let courses = try Course.read(file, dataset, name: name, firstID: Int64(1_000 * number))
            let specification = ForecastSpecification(
                horizon: dataset.horizon, quantiles: levels, parameters: parameters)
            let start = processorSeconds()
            let trained = try method.train(
                Panel(series: courses.map(\.prefix)), from: nil, specification: specification, progress: { _ in })
            let seconds = processorSeconds() - start
            let model = try method.load(weights: trained.weights, specification: specification)
            var replay = Replay(model, specification)
            let forecasts = replay.run(courses)
            try writer.write(courses, forecasts, model.experts.map(\.name), dataset, specification)
            let step = replay.seconds / Double(max(1, replay.steps)) * 1e6
            print(
                "\(name): trained in \(rounded(seconds)) processor seconds, \(rounded(step)) µs a series and step, "
                    + "state \(model.stateCount), lags \(model.lags.count), "
                    + trained.metrics.sorted { $0.key < $1.key }.map { "\($0.key) \(rounded($0.value))" }
                    .joined(separator: ", "))
            print("    " + model.summary.replacing("\n", with: "\n    "))
        }
    }

    static func rounded(_ value: Double) -> String { "\((value * 1_000).rounded() / 1_000)" }
}

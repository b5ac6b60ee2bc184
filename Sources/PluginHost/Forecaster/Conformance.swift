import Basics
import ControlInterface
import Dispatch
import Forecasting
import TimeSeries
import Varlink

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Tests a plugin: that it does what it declares, and what the daemon relies on.
public struct Conformance {
    /// The result of one check.
    public struct Finding: Sendable {
        public var check: String
        /// nil if it passed.
        public var failure: String?
    }

    private let plugin: PluginManifest
    private let launcher: String
    private let folder: URL
    private let line: @Sendable (String) -> Void

    /// - Parameters:
    ///   - launcher: the path of `nilod`.
    ///   - folder: for the files of a training run; created and removed.
    ///   - line: called with each line of the plugin's standard error.
    public init(
        _ plugin: PluginManifest, launcher: String, folder: String, line: @escaping @Sendable (String) -> Void
    ) {
        (self.plugin, self.launcher, self.folder, self.line) = (plugin, launcher, URL(filePath: folder), line)
    }

    /// Runs every check whose prerequisites passed, and calls `report` with each finding.
    ///
    /// - Returns: whether all passed.
    public func run(_ report: (Finding) -> Void) -> Bool {
        var allPassed = true
        func check(_ name: String, _ body: () throws -> Void) -> Bool {
            var failure: String?
            do { try body() } catch { failure = Self.text(error) }
            if failure != nil { allPassed = false }
            report(Finding(check: name, failure: failure))
            return failure == nil
        }
        defer { try? FileManager.default.removeItem(at: folder) }
        var subject: Subject?
        guard check("it starts and says who it is, as in plugin.toml", { subject = try start() }), let subject else {
            return false
        }
        _ = check("bad parameters are refused, and it goes on") { try refusesBadParameters(subject) }
        var model: LoadedModel?
        let loads = plugin.isTrainable ? "it trains, and the model loads" : "a model loads with the defaults"
        guard check(loads, { model = try load(into: subject) }), let model else { return false }
        let trials = ConformanceTrials(subject, model, plugin)
        for (name, body) in trials.all { _ = check(name, body) }
        _ = check("another process loads the same model and goes on from the same state, bit for bit") {
            try continuesInAnotherProcess(trials, model)
        }
        _ = check("it ends by itself when its socket is closed") {
            guard subject.endsAfterHangUp() else { throw ConformanceFailure("it still runs after 5 s; it was killed") }
        }
        return allPassed
    }

    private static func text(_ error: any Error) -> String {
        // Without the advice to run `niloctl plugin check`, which is what runs this.
        guard case PluginHostError.brokenContract(let expected, let found) = error else { return "\(error)" }
        return "expected \(expected), found \(found)"
    }

    private func start() throws -> Subject { try Subject(plugin, launcher: launcher, line: line) }

    private func refusesBadParameters(_ subject: Subject) throws {
        var wrong = specification
        wrong.parameters["no_such_parameter"] = .string("x")
        try subject.mustRefuse("an unknown parameter", wrong, plugin)
        for parameter in plugin.manifest.parameters {
            guard let bad = parameter.badValue else { continue }
            wrong = specification
            wrong.parameters[parameter.name] = bad
            try subject.mustRefuse("\(parameter.name) = \(bad)", wrong, plugin)
        }
        _ = try subject.process.channel.describe(within: plugin.startup)
    }

    private func load(into subject: Subject) throws -> LoadedModel {
        let weights = plugin.isTrainable ? try train() : nil
        let reply = try subject.process.channel.load(
            "a", specification, weights: weights, within: plugin.startup)
        return LoadedModel(
            reply: reply, description: try ModelDescription(reply, specification), weights: weights,
            specification: specification)
    }

    private func train() throws -> String {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let files = PluginFiles(folder: folder)
        let supervisor = PluginSupervisor(plugin, launcher: launcher, log: line)
        let method = TrainablePluginMethod(
            method: PluginMethod(supervisor: supervisor, files: files), launcher: launcher, log: line)
        let trained = try method.train(Self.panel, from: nil, specification: specification) { _ in }
        guard let path = try files.write(trained.weights, of: "trained") else {
            throw ConformanceFailure("expected weights, found an empty file")
        }
        return path
    }

    private func continuesInAnotherProcess(_ trials: ConformanceTrials, _ model: LoadedModel) throws {
        let other = try start()
        defer { other.process.end() }
        let reply = try other.process.channel.load(
            "b", model.specification, weights: model.weights, within: plugin.startup)
        guard reply == model.reply else { throw ConformanceFailure("Load describes another model than before") }
        try trials.compare(with: other, as: "b")
    }

    private static let quantiles: QuantileLevels = {
        guard let levels = QuantileLevels([0.05, 0.5, 0.95]) else { preconditionFailure("these ascend") }
        return levels
    }()

    private var specification: ForecastSpecification {
        let defaults = plugin.manifest.parameters.map { ($0.name, $0.defaultValue) }
        return ForecastSpecification(
            horizon: 6, quantiles: Self.quantiles,
            parameters: Dictionary(keepingFirst: defaults))
    }

    /// Three hourly series of 400 slots with gaps.
    private static var panel: Panel {
        guard let cadence = Cadence(nanoseconds: 3_600_000_000_000) else { preconditionFailure("an hour is positive") }
        return Panel(
            series: (1...3).map { number in
                let values = (0..<400).map { slot -> Float in
                    let (day, wiggle) = (Float(abs(slot % 24 - 12)), 0.1 * Float(slot % 5))
                    return slot % 37 == 5 ? .nan : Float(number * 10) + day + wiggle
                }
                return Panel.Series(
                    id: SeriesID(Int64(number)), key: "room,id=\(number) t", cadence: cadence, start: 480_000,
                    values: values, utcOffsets: Array(repeating: 0, count: values.count))
            })
    }
}

/// A failed check of a plugin.
struct ConformanceFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A model under test.
struct LoadedModel {
    var reply: ForecasterInterface.Load.Reply
    var description: ModelDescription
    var weights: String?
    var specification: ForecastSpecification
}

/// A running plugin under test.
final class Subject {
    let process: PluginProcess

    init(_ plugin: PluginManifest, launcher: String, line: @escaping @Sendable (String) -> Void) throws {
        process = try PluginProcess(plugin, launcher: launcher, line: line)
        do {
            try process.handshake(plugin)
        } catch ConnectionError.closed {
            process.child.waitUntilOver(within: .seconds(5))
            let end = process.child.exitStatus.map { "its process ended with \($0)" } ?? "its process goes on"
            throw ConformanceFailure("it closed the socket without an answer to Describe; \(end)")
        } catch ConnectionError.timedOut {
            throw ConformanceFailure(
                "there was no answer to Describe within \(plugin.startup), the startup of plugin.toml; "
                    + "every message ends with a NUL byte")
        }
    }

    deinit { process.end() }

    func mustRefuse(_ what: String, _ specification: ForecastSpecification, _ plugin: PluginManifest) throws {
        do {
            _ = try process.channel.load("bad", specification, weights: nil, within: plugin.startup)
        } catch let error as VarlinkError where error.name == ForecasterInterface.qualified("BadParameter") {
            return
        } catch let error as VarlinkError {
            throw ConformanceFailure("\(what): expected the error BadParameter, found \(error)")
        }
        throw ConformanceFailure("\(what): expected the error BadParameter, found a loaded model")
    }

    func endsAfterHangUp() -> Bool {
        process.channel.hangUp()
        return process.child.waitUntilOver(within: .seconds(5))
    }
}

extension ParameterDescription {
    /// A value that the parameter does not accept; nil if it accepts any.
    fileprivate var badValue: ParameterValue? {
        if let range, range.upperBound < 1e15 {
            return if case .integer = defaultValue { .integer(Int(range.upperBound) + 1) } else {
                .number(range.upperBound + 1)
            }
        }
        return choices.isEmpty ? nil : .string("none of these")
    }
}

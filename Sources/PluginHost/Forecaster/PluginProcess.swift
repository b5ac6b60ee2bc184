import ControlInterface
import Dispatch
import Forecasting
import Glibc
import Varlink

/// One process of a plugin, and the socket to it.
final class PluginProcess: Sendable {
    let child: LaunchedChild
    let channel: PluginChannel
    let started = ContinuousClock.now

    /// Starts the process, without waiting for it to answer.
    ///
    /// - Parameter ended: called once when it and its descendants are gone.
    init(
        _ plugin: PluginManifest, launcher: String, line: @escaping @Sendable (String) -> Void,
        ended: @escaping @Sendable (ExitStatus) -> Void = { _ in }
    ) throws {
        var ends: [Int32] = [0, 0]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
            throw PluginHostError.cannotStart(command: plugin.command[0], reason: String(cString: strerror(errno)))
        }
        defer { close(ends[1]) }
        channel = PluginChannel(connected: ends[0])
        child = try LaunchedChild(plugin.command(launcher: launcher), input: ends[1], line: line, ended: ended)
    }

    /// Hangs up and kills the process.
    func end() {
        channel.hangUp()
        child.end()
    }

    /// Checks that the plugin describes itself as its manifest does.
    func handshake(_ plugin: PluginManifest) throws {
        let found = try channel.describe(within: plugin.startup)
        func expect(_ name: String, _ expected: String, _ found: String) throws {
            guard expected == found else {
                throw PluginHostError.brokenContract(
                    expected: "\(name) \(expected), as in plugin.toml", found: "\(found)")
            }
        }
        guard found.contract == ForecasterInterface.contract else {
            throw PluginHostError.brokenContract(
                expected: "contract \(ForecasterInterface.contract)", found: "contract \(found.contract)")
        }
        try expect("the name", plugin.manifest.name, found.name)
        try expect("the version", plugin.manifest.version, found.version)
        try expect("capabilities", plugin.isTrainable ? "train" : "none", Self.text(found.capabilities))
    }

    private static func text(_ capabilities: [String]) -> String {
        capabilities.isEmpty ? "none" : capabilities.sorted().joined(separator: ", ")
    }

    /// Loads a model and runs one or more trial steps, so that a model that cannot step fails here and not while others
    /// wait.
    func load(
        _ model: String, _ specification: ForecastSpecification, weights: String?, _ plugin: PluginManifest,
        trials: Int = 1
    ) throws -> ForecasterInterface.Load.Reply {
        let reply = try channel.load(model, specification, weights: weights, within: plugin.startup)
        let description = try ModelDescription(reply, specification)
        var batch = AdvanceBatch(
            count: 1, states: description.initialState, lags: description.lags.count,
            forecasts: description.shape.forecastCount)
        for _ in 0..<trials { try channel.advance(model, &batch, 0..<1, description.shape, within: plugin.startup) }
        return reply
    }
}

extension AdvanceBatch {
    /// A batch of `count` rows without values in the state `states`, with forecasts.
    init(count: Int, states: [Float], lags: Int, forecasts: Int) {
        self.init(count: count, wantsForecasts: true)
        self.states = states
        lagged = Array(repeating: .nan, count: count * lags)
        self.forecasts = Array(repeating: .nan, count: count * forecasts)
    }
}

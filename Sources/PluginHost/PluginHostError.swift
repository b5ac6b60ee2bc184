/// `PluginHost`: the daemon's child processes: plugins, training, sources and sinks.

/// Why a child process, or the plugin in it, cannot be used.
public enum PluginHostError: Error, Equatable, CustomStringConvertible {
    case cannotStart(command: String, reason: String)
    /// A plugin gave an answer that violates the contract.
    case brokenContract(expected: String, found: String)
    /// Another call of the same process took all the available time.
    case busy
    case notReady(plugin: String, reason: String)
    case trainingFailed(status: String, lastWords: String)
    case badFile(String, reason: String)

    public var description: String {
        switch self {
        case .cannotStart(let command, let reason):
            "cannot start \(command): \(reason); install it, or correct the command"
        case .brokenContract(let expected, let found):
            "expected \(expected), found \(found); `niloctl plugin check` shows what a plugin has to answer"
        case .busy: "another call of this process took too long"
        case .notReady(let plugin, let reason):
            "the plugin \(plugin) is not ready: \(reason); `niloctl plugins` shows its state"
        case .trainingFailed(let status, let lastWords): "the training child ended with \(status): \(lastWords)"
        case .badFile(let path, let reason): "\(path): \(reason)"
        }
    }
}

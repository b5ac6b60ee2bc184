/// The names in the folder through which Nilometer's programs and their plugins exchange weights and training runs.
public enum PluginExchange {
    /// The name of the folder among others.
    public static let folder = "plugins"

    /// The file of a model's weights, rewritten whenever the model is loaded.
    public static func weights(of model: String) -> String { "\(model).weights" }
    /// The file of a model's self-description; kept, so that the daemon can start while the plugin cannot.
    public static func description(of model: String) -> String { "\(model).json" }

    /// The prefix of the folders of training runs.
    public static let run = "run-"
    public static let panel = "panel.npy"
    public static let index = "panel.json"
    /// The weights from which training continues.
    public static let start = "from"
    /// The resulting weights.
    public static let result = "weights"

    /// All contents of the folder.
    static let contents = ManagedFiles {
        hasModelName($0, ".weights") || hasModelName($0, ".json")
    } folder: {
        ManagedFiles.isNumbered($0, run) ? runContents : nil
    }

    /// The contents that are useless after a restart of the daemon.
    public static let leftovers = ManagedFiles {
        hasModelName($0, ".weights")
    } folder: {
        ManagedFiles.isNumbered($0, run) ? runContents : nil
    }

    /// The contents of a single run.
    public static func run(_ name: String) -> ManagedFiles {
        ManagedFiles { _ in
            false
        } folder: {
            $0 == name ? runContents : nil
        }
    }

    private static let runContents = ManagedFiles { [panel, index, start, result].contains($0) }

    /// Whether `name` is a method's name, a hyphen, a hash and `suffix`.
    private static func hasModelName(_ name: String, _ suffix: String) -> Bool {
        guard name.hasSuffix(suffix), let hyphen = name.lastIndex(of: "-") else { return false }
        let hash = name[name.index(after: hyphen)...].dropLast(suffix.count)
        return hyphen > name.startIndex && !hash.isEmpty && hash.allSatisfy { $0.isHexDigit }
    }
}

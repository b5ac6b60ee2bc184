/// The names in the folder through which a program of ours and its plugins exchange weights and training runs.
public enum PluginExchange {
    /// How the folder is called where it is one of several.
    public static let folder = "plugins"

    /// A model's weights, written again whenever it is loaded.
    public static func weights(of model: String) -> String { "\(model).weights" }
    /// What a model said of itself; kept, so that the daemon can start while its plugin cannot.
    public static func description(of model: String) -> String { "\(model).json" }

    /// How the folders of training runs begin.
    public static let run = "run-"
    public static let panel = "panel.npy"
    public static let index = "panel.json"
    /// The weights that training goes on from.
    public static let start = "from"
    /// The weights that came of it.
    public static let result = "weights"

    /// All of it.
    static let contents = OwnFiles {
        hasModelName($0, ".weights") || hasModelName($0, ".json")
    } folder: {
        OwnFiles.isNumbered($0, run) ? runContents : nil
    }

    /// What is of no use to the next life of the daemon.
    public static let leftovers = OwnFiles {
        hasModelName($0, ".weights")
    } folder: {
        OwnFiles.isNumbered($0, run) ? runContents : nil
    }

    /// One run.
    public static func run(_ name: String) -> OwnFiles {
        OwnFiles { _ in
            false
        } folder: {
            $0 == name ? runContents : nil
        }
    }

    private static let runContents = OwnFiles { [panel, index, start, result].contains($0) }

    /// A method's name, a hyphen and a hash.
    private static func hasModelName(_ name: String, _ suffix: String) -> Bool {
        guard name.hasSuffix(suffix), let hyphen = name.lastIndex(of: "-") else { return false }
        let hash = name[name.index(after: hyphen)...].dropLast(suffix.count)
        return hyphen > name.startIndex && !hash.isEmpty && hash.allSatisfy { $0.isHexDigit }
    }
}

import Foundation

/// The description of the configuration that `nilod reference` prints.
struct Reference: Decodable {
    struct Table: Decodable {
        var name: String
        var text: String
        var keys: [Key]
    }

    struct Key: Decodable {
        var name: String
        var type: String
        var standard: String
        var text: String
        var example: String

        var line: String { "\(name.contains(".") ? "\"\(name)\"" : name) = \(example)" }
        var typeAndDefault: String { "Type: \(type). Default: \(standard)." }
    }

    var tables: [Table]

    static let introduction =
        "The configuration is TOML. A duration is a string such as \"500ms\", \"90s\", \"5m\", \"6h\" or \"30d\". An unknown key is an "
        + "error that names the nearest one; `nilod check-config FILE` reports it before a restart does. `systemctl reload "
        + "nilod` applies series, forecasters, retention and limits; sources, sinks, sockets, plugins, shards, group, log_level "
        + "and max_unfinished_mib need a restart."
}

extension String {
    /// Without Markdown's marks.
    var plain: String { replacingOccurrences(of: "`", with: "") }

    /// With a full stop and a capital.
    var asSentence: String {
        guard let first else { return self }
        return first.uppercased() + dropFirst() + (hasSuffix(".") ? "" : ".")
    }
}

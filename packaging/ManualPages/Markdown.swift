/// Pages for the repository's documentation.
enum Markdown {
    /// The page about a configuration file.
    static func configuration(_ name: String, _ reference: Reference) -> String {
        var page = """
            # Configuration: \(name)

            <!-- Made by `make docs` from Sources/nilod/Configuration/ConfigurationReference.swift; do not edit. -->

            \(Reference.introduction)

            [packaging/nilod.toml](../packaging/nilod.toml) is a complete file to begin with.

            """
        for table in reference.tables {
            page += "\n## \(table.name.isEmpty ? "Top of the file" : "`\(table.name)`")\n\n\(table.text.asSentence)\n\n"
            page += "| key | type | default | meaning | example |\n|---|---|---|---|---|\n"
            for key in table.keys {
                page +=
                    "| `\(key.name)` | \(key.type) | \(key.standard) | \(key.text.asSentence) | `\(key.line)` |\n"
            }
        }
        return page
    }
}

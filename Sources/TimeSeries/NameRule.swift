/// The rule for the names of forecasters, plugins and sinks in a configuration or a manifest.
///
/// These names appear in file names, logs and commands, so they contain no character that is special there.
public enum NameRule {
    /// The rule in words, for messages.
    public static let text =
        "a name of 1 to 64 letters, digits, \".\", \"_\" and \"-\" that begins with a letter or digit"

    public static func allows(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, bytes.count <= 64 else { return false }
        return isLetterOrDigit(first) && bytes.allSatisfy { isLetterOrDigit($0) || ".-_".utf8.contains($0) }
    }

    /// A name that breaks the rule, quoted for a message: ASCII only, and cut after 80 characters.
    public static func shown(_ name: String) -> String {
        let visible = name.unicodeScalars.prefix(80).map { $0.escaped(asASCII: true) }.joined()
        return "\"\(visible)\(name.unicodeScalars.count > 80 ? "…" : "")\""
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}

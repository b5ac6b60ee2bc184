/// The one rule for names that a configuration or a manifest gives: of forecasters, plugins and sinks.
///
/// They appear in file names, logs and commands, so there is nothing in them that means something there.
public enum NameRule {
    /// What a name has to be, for messages.
    public static let text =
        "a name of 1 to 64 letters, digits, \".\", \"_\" and \"-\" that begins with a letter or digit"

    public static func allows(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, bytes.count <= 64 else { return false }
        return isLetterOrDigit(first) && bytes.allSatisfy { isLetterOrDigit($0) || ".-_".utf8.contains($0) }
    }

    /// A name that breaks the rule as a message may show it: in ASCII, and not all of a long one.
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

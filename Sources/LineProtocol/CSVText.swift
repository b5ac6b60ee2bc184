/// Fields as CSV writes them (RFC 4180): quoted where they hold a comma, a quote or a line end, with each quote doubled.
package enum CSVText {
    package static func field(_ text: String) -> String {
        let special: [UInt8] = [Byte.comma, Byte.quote, Byte.newline, Byte.carriageReturn]
        guard text.utf8.contains(where: { special.contains($0) }) else { return text }
        // Unicode scalars, because a quote and a combining accent after it form one character.
        return "\"" + text.unicodeScalars.reduce(into: "") { $0 += $1 == "\"" ? "\"\"" : String($1) } + "\""
    }
}

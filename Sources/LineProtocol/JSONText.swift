import TimeSeries

/// Strings quoted as in JSON (RFC 8259, section 7), with every unprintable character escaped.
package enum JSONText {
    package static func quoted(_ text: String) -> String {
        let escaped = text.unicodeScalars.reduce(into: "\"") { out, scalar in
            switch scalar {
            case "\"", "\\": out += "\\\(scalar)"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return escaped.visible + "\""
    }
}

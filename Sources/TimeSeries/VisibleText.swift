extension Unicode.Scalar {
    /// Whether the character controls a terminal or affects the text around it: control characters, line and paragraph
    /// separators, and characters that change the writing direction (Unicode's Bidi_Control).
    package var isUnprintable: Bool {
        switch value {
        case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// The code point in the form `U+202E`.
    package var codePoint: String {
        let digits = String(value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

extension String {
    /// The text made safe for a terminal or a log: each unprintable character escaped as in JSON, `\u001b`, except
    /// newlines and tabs.
    ///
    /// The JSON form keeps JSON text valid.
    package var visible: String { visible { $0 == "\n" || $0 == "\t" } }

    /// ``visible`` on one line: newlines are escaped too, so that no text can forge the start of a log line.
    package var visibleLine: String { visible { $0 == "\t" } }

    private func visible(keeping isKept: (Unicode.Scalar) -> Bool) -> String {
        guard utf8.contains(where: Self.mayBeUnprintable) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            guard scalar.isUnprintable, !isKept(scalar) else { return text.unicodeScalars.append(scalar) }
            let digits = String(scalar.value, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }

    /// Whether an unprintable character may begin with this byte; almost no text contains one.
    private static func mayBeUnprintable(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7F || byte == 0xC2 || byte == 0xD8 || byte == 0xE2
    }
}

extension Unicode.Scalar {
    /// Whether it acts on a terminal or on the text around it instead of standing in it: control characters, separators of
    /// lines and paragraphs, and what turns the direction of writing (Unicode's Bidi_Control).
    package var isUnprintable: Bool {
        switch value {
        case 0..<0x20, 0x7F...0x9F, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// `U+202E`.
    package var codePoint: String {
        let digits = String(value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

extension String {
    /// The text as a terminal or a log may show it: each unprintable character as JSON escapes it, `\u001b`. Ends of lines
    /// and tabs stay.
    ///
    /// The form is JSON's, so that a text that is JSON stays JSON.
    package var visible: String { visible { $0 == "\n" || $0 == "\t" } }

    /// ``visible`` as one line: ends of lines are escaped too, so that no text begins a line that is not its own.
    package var visibleLine: String { visible { $0 == "\t" } }

    private func visible(keeping isKept: (Unicode.Scalar) -> Bool) -> String {
        guard utf8.contains(where: Self.mayBeUnprintable) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            guard scalar.isUnprintable, !isKept(scalar) else { return text.unicodeScalars.append(scalar) }
            let digits = String(scalar.value, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }

    /// Whether an unprintable character may begin with this byte: nearly no text has one.
    private static func mayBeUnprintable(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7F || byte == 0xC2 || byte == 0xD8 || byte == 0xE2
    }
}

import Testing
import TimeSeries

@Suite("Text that is shown")
struct VisibleTextTests {
    @Test("control characters, separators and marks of direction are escaped, and nothing else is")
    func everyCharacter() {
        for value in 0...0x10FFFF as ClosedRange<UInt32> {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let properties = scalar.properties
            let isUnprintable =
                [.control, .lineSeparator, .paragraphSeparator].contains(properties.generalCategory)
                || properties.isBidiControl
            guard scalar.isUnprintable == isUnprintable else {
                Issue.record("\(scalar.codePoint)")
                return
            }
        }
        let texts: [(String, String)] = [
            ("\u{1B}]0;x\u{7}", "\\u001b]0;x\\u0007"), ("a\u{9B}31mb", "a\\u009b31mb"),
            ("a\u{7F}\u{85}", "a\\u007f\\u0085"),
            ("a\u{202E}b\u{2066}", "a\\u202eb\\u2066"), ("\u{2028}\u{200F}\u{61C}", "\\u2028\\u200f\\u061c"),
            ("\r", "\\u000d"),
            ("ünïcode 漢 \u{1F600}\u{200D}", "ünïcode 漢 \u{1F600}\u{200D}"), ("plain \\ text", "plain \\ text"),
        ]
        for (text, shown) in texts {
            #expect(text.visible == shown)
            #expect(text.visibleLine == shown)
            #expect(shown.visible == shown, "what was made visible stays")
        }
    }

    @Test("ends of lines stay where lines may come, and are escaped where there is one")
    func linesAndTabs() {
        #expect("a\tb\nc".visible == "a\tb\nc")
        #expect("a\tb\nc".visibleLine == "a\tb\\u000ac")
        #expect("a\r\nb".visible == "a\\u000d\nb")
    }

    @Test("a code point has its number with four digits at least")
    func codePoint() {
        #expect(("\u{7}" as Unicode.Scalar).codePoint == "U+0007")
        #expect(("\u{202E}" as Unicode.Scalar).codePoint == "U+202E")
        #expect(("\u{1F600}" as Unicode.Scalar).codePoint == "U+1F600")
    }
}

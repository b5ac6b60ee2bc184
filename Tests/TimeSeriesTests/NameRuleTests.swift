import Testing
import TimeSeries

@Suite("Names that people give")
struct NameRuleTests {
    @Test("plain names are allowed", arguments: ["house", "a", "7", "house-2.b_C", String(repeating: "x", count: 64)])
    func allowed(_ name: String) { #expect(NameRule.allows(name)) }

    @Test(
        "a name that could be a path, an option or a terminal code is not",
        arguments: [
            "", ".", "..", ".hidden", "-rf", "_a", "a/b", "../a", "/a", "a b", "a\nb", "a\0b", "\u{1B}[31m", "é",
            "a\u{202E}b",
            String(repeating: "x", count: 65),
        ])
    func refused(_ name: String) { #expect(!NameRule.allows(name)) }

    @Test("a message shows such a name in ASCII, and not all of a long one")
    func shown() {
        #expect(NameRule.shown("\u{1B}[31m\u{202E}") == #""\u{1B}[31m\u{202E}""#)
        #expect(NameRule.shown(String(repeating: "/", count: 300)).count < 100)
    }
}

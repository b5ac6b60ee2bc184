import LineProtocol
import TestSupport
import Testing
import TimeSeries

@Suite("CSV as RFC 4180 has it")
struct CSVTests {
    private func read(_ text: String, firstLine: Int = 1) -> [Result<CSVReader.Record, CSVReader.UnclosedQuote>] {
        var reader = CSVReader(Array(text.utf8), firstLine: firstLine)
        var all: [Result<CSVReader.Record, CSVReader.UnclosedQuote>] = []
        while let next = reader.next() { all.append(next) }
        return all
    }

    private func texts(_ text: String) throws -> [[String]] { try read(text).map { try $0.get().fields.map(\.text) } }

    @Test(
        "records and fields",
        arguments: [
            ("a,b\r\nc,d\r\n", [["a", "b"], ["c", "d"]]), ("a,,\n", [["a", "", ""]]), (",", [["", ""]]),
            ("\"a,b\",\"say \"\"hi\"\"\"\n", [["a,b", "say \"hi\""]]),
            ("\"two\r\nlines\",1\nx,2", [["two\r\nlines", "1"], ["x", "2"]]),
            ("\"\"\n", [[""]]), ("\n\n  \r\na\n\n", [["a"]]), ("a\"b,\"c\"d", [["a\"b", "cd"]]),
            ("\u{feff}a,1", [["a", "1"]]),
            ("\"\"\"\",\"\"", [["\"", ""]]), ("", []),
        ])
    func records(_ text: String, _ expected: [[String]]) throws { #expect(try texts(text) == expected) }

    @Test("a record knows its line and its fields their columns, behind line ends in quotes too")
    func positions() throws {
        let records = try read("\"a\nb\",x\nc,d", firstLine: 7).map { try $0.get() }
        #expect(records.map(\.line) == [7, 9])
        #expect(records.map { $0.fields.map(\.column) } == [[1, 4], [1, 3]])
    }

    @Test("a quote that nothing closes is an error of its line, and the next line goes on")
    func unclosed() throws {
        let all = read("a,1\nb,\"2\nc,3\n")
        #expect(all.count == 3)
        let quote = #expect(throws: CSVReader.UnclosedQuote.self) { _ = try all[1].get() }
        #expect(quote?.line == 2 && quote?.column == 3)
        #expect(try all[2].get().fields.map(\.text) == ["c", "3"] && all[2].get().line == 3)
    }

    @Test("any records written with quotes are read back", arguments: 0..<50 as Range<UInt64>)
    func roundTrip(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        let alphabet: [Character] = ["a", ",", "\"", "\n", "é", "\u{301}", " ", "\\"]
        let records = (0..<Int.random(in: 1...20, using: &random)).map { _ in
            (0..<Int.random(in: 1...5, using: &random)).map { _ in
                String((0..<Int.random(in: 0...6, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
            }
        }
        let text = records.map { record in
            record.map { field in
                "\"" + field.unicodeScalars.reduce(into: "") { $0 += $1 == "\"" ? "\"\"" : String($1) } + "\""
            }.joined(separator: ",")
        }.joined(separator: "\r\n")
        #expect(try texts(text).map { $0.map { Array($0.utf8) } } == records.map { $0.map { Array($0.utf8) } })
    }
}

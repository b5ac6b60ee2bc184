import Foundation
import TestSupport
import Testing
import Varlink

/// Foundation's coders are the oracle of ours.
@Suite struct JSONTests {
    struct Everything: Codable, Equatable {
        struct Inner: Codable, Equatable {
            var name: String
            var values: [Float]
            var maybe: Int?
        }
        enum Kind: String, Codable { case one, two }
        var flag: Bool
        var small: Int8
        var large: UInt64
        var negative: Int64
        var double: Double
        var text: String
        var none: String?
        var kind: Kind
        var inner: [Inner]
        var map: [String: Double]
        var optionals: [Int?]
        var nested: [[String]]
        var value: JSONValue
    }

    static let everything = Everything(
        flag: true, small: -128, large: .max, negative: .min, double: 0.1,
        text: "a\"b\\c\n\r\t\u{1}\u{1F}/ é 漢 \u{1F600}", none: nil, kind: .two,
        inner: [.init(name: "", values: [], maybe: nil), .init(name: "x", values: [1, -0.25, 1e-30], maybe: 3)],
        map: ["a": 1, "b\"": -2.5], optionals: [1, nil, 3], nested: [[], ["a", "b"]],
        value: .object(["a": .array([.null, .boolean(false), .integer(1), .number(1.5), .string("s"), .object([:])])]))

    @Test("Foundation reads what we write, and we read what Foundation writes")
    func roundTrips() throws {
        let ours = try JSONBytes.encode(Self.everything)
        #expect(try JSONDecoder().decode(Everything.self, from: Data(ours)) == Self.everything)
        #expect(try JSONBytes.decode(Everything.self, ours) == Self.everything)
        for formatting in [JSONEncoder.OutputFormatting.prettyPrinted, []] {
            let encoder = JSONEncoder()
            encoder.outputFormatting = formatting
            let theirs = try encoder.encode(Self.everything)
            #expect(try JSONBytes.decode(Everything.self, [UInt8](theirs)) == Self.everything)
        }
    }

    @Test("every number comes back with all its bits")
    func numbers() throws {
        var random = SeededGenerator(12)
        let doubles = (0..<50_000).map { _ in Double(bitPattern: random.next()) }.filter(\.isFinite)
        let floats = (0..<50_000).map { _ in Float(bitPattern: random.next()) }.filter(\.isFinite)
        let plain = (0..<50_000).map { _ in (Double.random(in: -1e6...1e6, using: &random) * 1e4).rounded() / 1e4 }
        #expect(try JSONBytes.decode([Double].self, JSONBytes.encode(doubles)) == doubles)
        #expect(try JSONBytes.decode([Float].self, JSONBytes.encode(floats)) == floats)
        #expect(try JSONBytes.decode([Double].self, JSONBytes.encode(plain)) == plain)
        #expect(try JSONBytes.decode([Float].self, JSONBytes.encode(plain)) == plain.map { Float("\($0)") })
        let halfway = ["16777217", "16777219", "1.00000005960464477539", "8388608.5", "0.1e1", "-0", "7e-46"]
        for text in halfway {
            #expect(try JSONBytes.decode(Float.self, Array(text.utf8)).bitPattern == Float(text)?.bitPattern, "\(text)")
            #expect(try JSONBytes.decode(Double.self, Array(text.utf8)).bitPattern == Double(text)?.bitPattern)
        }
    }

    @Test("what is not finite is neither written nor read, as a number or as a text")
    func notFinite() {
        struct One: Encodable { var value: Double }
        for odd in [Double.infinity, -.infinity, .nan] {
            #expect(throws: EncodingError.self) { try JSONBytes.encode(One(value: odd)) }
            #expect(throws: EncodingError.self) { try JSONBytes.encode([odd]) }
            #expect(throws: EncodingError.self) { try JSONBytes.encode([Float(odd)]) }
            #expect(throws: EncodingError.self) { try JSONBytes.encode(["a": odd]) }
            #expect(throws: EncodingError.self) { try JSONBytes.encode(JSONValue.number(odd)) }
        }
        for text in ["\"nan\"", "\"inf\"", "\"-inf\"", "NaN", "Infinity", "1e400", "-1e400"] {
            #expect(throws: DecodingError.self, "\(text)") { try JSONBytes.decode(Double.self, Array(text.utf8)) }
            #expect(throws: DecodingError.self, "\(text)") {
                try JSONBytes.decode([Float].self, Array("[\(text)]".utf8))
            }
        }
        #expect(throws: DecodingError.self) { try JSONBytes.decode(Float.self, Array("3.5e38".utf8)) }
    }

    @Test("characters that act on a terminal are escaped, and come back")
    func escapes() throws {
        let all = (0...0xFFFF as ClosedRange<UInt32>).compactMap { Unicode.Scalar($0) }
        let text = String(String.UnicodeScalarView(all)) + "\u{1F600}"
        let bytes = try JSONBytes.encode(text)
        #expect(try JSONBytes.decode(String.self, bytes).unicodeScalars.elementsEqual(text.unicodeScalars))
        #expect(
            try JSONDecoder().decode(String.self, from: Data(bytes)).unicodeScalars.elementsEqual(text.unicodeScalars))
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            let isSafe =
                scalar.properties.generalCategory != .control && !scalar.properties.isBidiControl
                && scalar != "\u{2028}" && scalar != "\u{2029}"
            #expect(isSafe, "U+\(String(scalar.value, radix: 16))")
        }
        for plain in ["é", "漢", "\u{200D}", "\u{2030}", "\u{660}", "\u{A0}"] {
            #expect(try JSONBytes.encode(plain) == Array("\"\(plain)\"".utf8))
        }
    }

    @Test(
        "what is not JSON, or not of the type, is refused",
        arguments: [
            "", "{", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{a:1}"#, "[1 2]", "[1,]", "[", "01", "+1", ".5", "1.", "1e",
            "-", "tru", "nul", #""\x""#, #""\ud800""#, #""\u12""#, "\"\u{1}\"", "\"a", #"{"a":1 "b":2}"#,
        ])
    func notJSON(text: String) {
        #expect(throws: DecodingError.self) {
            let found = try JSONBytes.decode(JSONValue.self, Array(text.utf8))
            // The reader stops where the value ends; a number may end before the text does.
            if case .integer = found { throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "")) }
        }
    }

    @Test("an integer is not cut, and a text is not a number")
    func exactTypes() {
        for text in ["300", "1.0", "1e2", "\"1\"", "true", "null"] {
            #expect(throws: DecodingError.self) { try JSONBytes.decode(Int8.self, Array(text.utf8)) }
        }
        for text in ["\"1\"", "true", "[]"] {
            #expect(throws: DecodingError.self) { try JSONBytes.decode(Double.self, Array(text.utf8)) }
        }
        #expect(throws: DecodingError.self) { try JSONBytes.decode(String.self, [34, 0xFF, 34]) }
    }

    @Test("an error names the way to the value that is wrong")
    func codingPath() {
        let text = #"{"flag":true,"inner":[{"name":"x","values":[]},{"name":2,"values":[]}]}"#
        struct Outer: Decodable { var inner: [Everything.Inner] }
        do {
            _ = try JSONBytes.decode(Outer.self, Array(text.utf8))
            Issue.record("decoded")
        } catch DecodingError.typeMismatch(_, let context) {
            #expect(
                context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue } == ["inner", "1", "name"])
        } catch { Issue.record("\(error)") }
    }
}

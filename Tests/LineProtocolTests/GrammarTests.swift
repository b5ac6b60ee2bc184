import LineProtocol
import Testing
import TimeSeries

/// What InfluxDB's decoder takes and refuses, case by case.
@Suite("The grammar of line protocol")
struct GrammarTests {
    /// Points as lines of JSON, then problems as `line:column`.
    private func decode(_ text: [UInt8], _ precision: Precision = .nanoseconds, now: Int64 = 7) -> [String] {
        var (points, problems): ([String], [String]) = ([], [])
        _ = text.withUnsafeBufferPointer { bytes in
            PointDecoder(precision: precision).decode(bytes) { result in
                switch result {
                case .success(let point):
                    let json = PointEncoder.json(point, time: Timestamp(nanoseconds: now), precision: precision)
                    points.append(String(json.dropLast()))
                case .failure(let problem): problems.append("\(problem.line):\(problem.column)")
                }
            }
        }
        return points + problems
    }

    private func point(_ measurement: String, tags: String = "", _ fields: String, _ time: Int64 = 7) -> String {
        #"{"measurement":"\#(measurement)","tags":{\#(tags)},"fields":{\#(fields)},"timestamp":\#(time)}"#
    }

    @Test("a backslash is an escape only before what may be escaped there")
    func escapes() {
        #expect(decode(Array(#"a\ b\,c\=d f=1"#.utf8)) == [point(#"a b,c\\=d"#, #""f":{"float":1.0}"#)])
        #expect(
            decode(Array(#"m,k\ \,\=\x=v\ \,\=\y f\ \,\=\z=1"#.utf8)) == [
                point("m", tags: #""k ,=\\x":"v ,=\\y""#, #""f ,=\\z":{"float":1.0}"#)
            ])
        #expect(
            decode(Array(#"m,k=two\\ words f=1"#.utf8)) == [
                point("m", tags: #""k":"two\\ words""#, #""f":{"float":1.0}"#)
            ])
        #expect(
            decode(Array(#"m f="a\\b\"c\n\r\t\x""#.utf8)) == [point("m", #""f":{"string":"a\\b\"c\n\r\t\\x"}"#)])
    }

    @Test("a quoted string may hold anything, ends of lines too, and lines are counted in it")
    func strings() {
        #expect(
            decode(Array("m f=\"a,b =\nc\u{1}\" 5\nm f=x\n".utf8)) == [
                point("m", #""f":{"string":"a,b =\nc\u0001"}"#, 5), "3:5",
            ])
        #expect(decode(Array("m \"f\"=1,g=\"\"".utf8)) == [point("m", #""\"f\"":{"float":1.0},"g":{"string":""}"#)])
    }

    @Test("an open string is a problem of its own line, and the next one goes on")
    func openString() {
        #expect(decode(Array("a f=1\nb f=\"x\nc f=2\n".utf8)).map { $0.prefix(19) }.last == "2:5")
        #expect(decode(Array("a f=1\nb f=\"x\nc f=2\n".utf8)).count == 3)
    }

    @Test("comments, empty lines, spaces and carriage returns are passed over")
    func blanks() {
        let one = point("m", #""f":{"float":1.0}"#)
        #expect(decode(Array("\n\r\n  \n  # a \u{e4}\n#\r\n m   f=1  \r\n  m f=1 \n#".utf8)) == [one, one])
        #expect(decode(Array("m f=1\r".utf8)) == [one])
        #expect(decode([UInt8(ascii: "#"), 0xFF, 0x0A]) == [])
        #expect(decode(Array("".utf8)) == [])
        #expect(decode(Array("   ".utf8)) == [])
    }

    @Test("a carriage return alone ends nothing")
    func lonelyReturn() {
        #expect(decode(Array("\rm f=1\nm f=1\rn f=2\nm f=1 \r \n".utf8)) == ["1:1", "2:6", "3:7"])
    }

    @Test("control characters stand in strings alone")
    func controls() {
        for text in [
            "m\t f=1", "m,a\u{1}=b f=1", "m,a=b\u{7F} f=1", "m f\u{b}=1", "m f=1\t", "# \u{1}\n", "\u{0}m f=1",
        ] {
            #expect(decode(Array(text.utf8)).count == 1, "\(text)")
            #expect(decode(Array(text.utf8))[0].hasPrefix("1:"), "\(text)")
        }
    }

    @Test("names and strings are UTF-8, and a refused line is one problem")
    func encoding() {
        for text in [[0x6D, 0xC3], [0x6D, 0xED, 0xA0, 0x80], [0x6D, 0xC0, 0xAF]] as [[UInt8]] {
            #expect(decode(text + Array(" f=1\nm f=1".utf8)) == [point("m", #""f":{"float":1.0}"#), "1:1"])
        }
        #expect(decode(Array("m,a=".utf8) + [0xFF] + Array(" f=1".utf8)) == ["1:5"])
        #expect(decode(Array("m f=\"".utf8) + [0xFF, 0x0A] + Array("n f=1\"\nm f=1".utf8)).last == "1:5")
        #expect(decode(Array("m\u{e9}\u{1F321} f=1".utf8)) == [point("m\u{e9}\u{1F321}", #""f":{"float":1.0}"#)])
    }

    @Test("integers have 64 bits, signed or not, and leading zeros")
    func integers() {
        func value(_ text: String) -> String { decode(Array("m f=\(text)".utf8))[0] }
        #expect(value("-0009223372036854775808i") == point("m", #""f":{"int":-9223372036854775808}"#))
        #expect(value("9223372036854775807i") == point("m", #""f":{"int":9223372036854775807}"#))
        #expect(value("00018446744073709551615u") == point("m", #""f":{"uint":18446744073709551615}"#))
        #expect(value("-0i") == point("m", #""f":{"int":0}"#))
        for bad in [
            "9223372036854775808i", "-9223372036854775809i", "18446744073709551616u", "-0u", "-1u", "-i", "--1i",
            "1.0i",
            "1e3i", "1i2", "1ii", "0x1i", "1_0i", "+1i", "i", "u",
        ] {
            #expect(value(bad) == "1:5", "\(bad)")
        }
    }

    @Test(
        "floats have InfluxDB's forms",
        arguments: [
            ("1.", 1), (".5", 0.5), ("-.5e-1", -0.05), ("1E4", 1e4), ("1e+4", 1e4), ("00.10", 0.1), ("1_000.5", 1000.5),
            ("0x1.8p3", 12), ("-0X_1p-1", -0.5), ("1e-400", 0), ("5e-324", .leastNonzeroMagnitude),
        ])
    func floats(_ text: String, _ value: Double) {
        #expect(decode(Array("m f=\(text)".utf8)) == [point("m", #""f":{"float":\#(value)}"#)])
    }

    @Test(
        "what is no float of InfluxDB's is refused",
        arguments: [
            "-", ".", "-.", "1e", "1e+", "--1", "1.1.1", "1e5.0", "1e999", "-1e999", "-inf", "-Infinity", "-nan", "0x1",
            "0x", "0xp1", "1_", "_1", "1__0", "1_.0", "1e1_", "0x1p", "1\u{b}", "1\"", "+1", "nan", "1,", "1f",
        ])
    func refusedFloats(_ text: String) {
        #expect(decode(Array("m f=\(text)".utf8))[0].hasPrefix("1:"))
    }

    @Test("booleans have ten spellings")
    func booleans() {
        for text in ["t", "T", "true", "True", "TRUE"] {
            #expect(decode(Array("m f=\(text)".utf8)) == [point("m", #""f":{"bool":true}"#)])
            let other =
                text.count == 1
                ? (text == "t" ? "f" : "F")
                : text.replacing("rue", with: "alse")
                    .replacing("RUE", with: "ALSE").replacing("t", with: "f").replacing("T", with: "F")
            #expect(decode(Array("m f=\(other)".utf8)) == [point("m", #""f":{"bool":false}"#)])
        }
        for bad in ["tr", "tRUE", "yes", "true1", "FALSe"] { #expect(decode(Array("m f=\(bad)".utf8)) == ["1:5"]) }
    }

    @Test("timestamps have a precision, a range and a default that is cut to the precision")
    func timestamps() {
        let fields = #""f":{"float":1.0}"#
        #expect(decode(Array("m f=1 -5".utf8), .seconds) == [point("m", fields, -5_000_000_000)])
        #expect(
            decode(Array("m f=1 946730096789".utf8), .milliseconds) == [point("m", fields, 946_730_096_789_000_000)])
        #expect(decode(Array("m f=1 3".utf8), .microseconds) == [point("m", fields, 3_000)])
        #expect(decode(Array("m f=1".utf8), .seconds, now: -1) == [point("m", fields, -1_000_000_000)])
        #expect(decode(Array("m f=1".utf8), .milliseconds, now: 1_999_999) == [point("m", fields, 1_000_000)])
        #expect(decode(Array("m f=1 -9223372036854775808".utf8)) == [point("m", fields, .min)])
        #expect(decode(Array("m f=1 9223372036854775808\nm f=1".utf8)) == [point("m", fields), "1:7"])
        #expect(decode(Array("m f=1 18446744073709551617".utf8)) == ["1:7"])
        #expect(decode(Array("m f=1 9223372037".utf8), .seconds) == ["1:7"])
        for bad in ["1.5", "1e3", "-", "--1", "1-2", "abc", "1 2", "+1"] {
            #expect(decode(Array("m f=1 \(bad)".utf8))[0].hasPrefix("1:"), "\(bad)")
        }
    }

    @Test(
        "problems have InfluxDB's places",
        arguments: [
            ("cpu", "1:4"), ("cpu,", "1:5"), ("cpu, a=b f=1", "1:5"), ("cpu,a f=1", "1:5"), ("cpu,=b f=1", "1:5"),
            ("cpu,a= f=1", "1:7"), ("cpu,a=b", "1:8"), ("cpu,a=b,", "1:9"), ("cpu,a=b=c f=1", "1:8"), ("cpu f", "1:6"),
            ("cpu =1", "1:5"), ("cpu f=", "1:7"), ("cpu f=1,", "1:9"), ("cpu f=1, g=2", "1:9"),
            ("cpu f=\"a\"b", "1:10"),
            ("cpu f=1 x", "1:9"), ("cpu f=1 5 6", "1:11"), (",a=b f=1", "1:1"), ("cpu,a=b,a=c f=1", "1:9"),
            ("cpu,,a=b f=1", "1:5"), ("\n\ncpu f=x", "3:7"),
        ])
    func places(_ text: String, _ place: String) {
        #expect(decode(Array(text.utf8)) == (text == "cpu,a=b" ? ["1:8"] : [place]))
    }

    @Test("a problem says what was expected")
    func words() {
        let batch = DecodedBatch(lineProtocol: Array("m,a f=1\nm f=one\nm f=1 soon\n".utf8), precision: .milliseconds)
        #expect(
            batch.problems.map(\.description) == [
                "1:3: expected = after the tag key, not a space",
                "2:5: expected a field value: 1.5, 3i, 3u, true or \"text\", not \"o\"",
                "3:7: expected a timestamp, a whole number in ms",
            ])
    }

    @Test("tags and fields keep the order of the line, and a field may be there twice")
    func order() {
        #expect(
            decode(Array("m,z=1,a=2 y=1i,b=t,y=2i".utf8)) == [
                point("m", tags: #""z":"1","a":"2""#, #""y":{"int":1},"b":{"bool":true},"y":{"int":2}"#)
            ])
    }
}

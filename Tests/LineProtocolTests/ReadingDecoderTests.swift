import LineProtocol
import Testing
import TimeSeries

@Suite("The way from bytes to readings")
struct ReadingDecoderTests {
    private struct Random {
        var state: UInt64
        mutating func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
    }

    private func decode(_ text: [UInt8], _ decoder: inout ReadingDecoder, isWhole: Bool = true) -> DecodedBatch {
        text.withUnsafeBufferPointer { decoder.decode($0, isWhole: isWhole) }
    }

    /// The same text through points and their names.
    private func readings(_ text: [UInt8]) -> (readings: [IncomingReading], problems: [LineProblem]) {
        var readings: [IncomingReading] = []
        var problems: [LineProblem] = []
        _ = text.withUnsafeBufferPointer { bytes in
            PointDecoder().decode(bytes) { result in
                switch result {
                case .success(let point):
                    for field in point.fields {
                        guard let value = field.value.number else { continue }
                        let key = SeriesKey(
                            measurement: point.measurement, tags: point.tags.map { ($0.key, $0.value) },
                            field: field.key)
                        readings.append(IncomingReading(key: key, timestamp: point.timestamp, value: value))
                    }
                case .failure(let problem): problems.append(problem)
                }
            }
        }
        return (readings, problems)
    }

    @Test("a decoder that has seen the series gives what one without memory gives, for mutated lines too")
    func agreement() {
        var random = Random(state: 11)
        let lines = [
            "m,b=2,a=1 f=1.5,g=2i,h=t 17", #"m\ x,a=\,b f\ g=1,s="q,\" r",f\ g=2"#, "m f=1", "m,b=2,a=1 g=3i,f=1,h=f",
            "m,b=2,a=1   f=0.1 -1 \r", "# comment", #"m,a=b\\  f=1u"#,
        ]
        var decoder = ReadingDecoder()
        let alphabet = Array("a,= \"\\\n\r1.ei-#m".utf8) + [0xC3, 0xFF, 0]
        for _ in 0..<6_000 {
            var text: [UInt8] = []
            for _ in 0..<4 { text += (lines[random.next(lines.count)] + "\n").utf8 }
            for _ in 0..<random.next(4) { text[random.next(text.count)] = alphabet[random.next(alphabet.count)] }
            let batch = decode(text, &decoder)
            let (readings, problems) = readings(text)
            #expect(batch.readings == readings, "\(String(decoding: text, as: UTF8.self))")
            #expect(batch.problems == problems)
            #expect(batch.readings.count == batch.lines.count)
            #expect(batch.nextLine == 1 + text.count { $0 == 0x0A })
        }
    }

    @Test("a timestamp written like the one before is read like it, and one that only begins like it by itself")
    func repeatedTimestamps() {
        var decoder = ReadingDecoder()
        let text = "m f=1 17\nm f=2 17\nm f=3 171\nm f=4 17\nm f=5 17x\nm f=6 -17\nm f=7 1\nm f=8 1 1\nm f=9\nm f=10 1"
        let batch = decode(Array(text.utf8), &decoder)
        #expect(batch.readings.map { $0.timestamp?.nanoseconds } == [17, 17, 171, 17, -17, 1, nil, 1])
        #expect(batch.readings.map(\.value) == [1, 2, 3, 4, 6, 7, 9, 10])
        #expect(batch.problems.map(\.line) == [5, 8])
        #expect(batch.problems.map(\.column) == [7, 9])
    }

    @Test("a decoder says whose series it remembers: by the first of a text, whatever follows")
    func knowledge() {
        func knows(_ text: String) -> Bool {
            Array(text.utf8).withUnsafeBufferPointer { decoder.knowsFirst(of: $0) }
        }
        var decoder = ReadingDecoder()
        #expect(!knows("m,a=1 f=1\n"))
        #expect(decoder.rememberedBytes == 0)
        _ = decode(Array(#"m,a=1 f=1\#nb\ c f=2\#nbad\#n"#.utf8), &decoder)
        #expect(decoder.rememberedBytes > 0)
        #expect(knows("m,a=1 g=7 1\nother f=1\n"))
        #expect(knows(#"b\ c f=1"#))
        for text in ["m,a=2 f=1\n", "m f=1\n", "", " ", "m,a=1", "# m\nm,a=1 f=1\n"] {
            #expect(!knows(text), "\(text)")
        }
    }

    @Test("a text cut anywhere gives the same readings and lines as the whole one")
    func pieces() {
        let text = Array("a f=1 1\n\nb s=\"x\ny\",f=2 2\n# c\r\nc f=bad\nd f=3 3\ne f=\"open\nf f=4 4".utf8)
        var decoder = ReadingDecoder()
        let whole = decode(text, &decoder)
        #expect(whole.readings.map(\.value) == [1, 2, 3, 4])
        for cut in 0...text.count {
            let first = decode(Array(text[..<cut]), &decoder, isWhole: false)
            #expect(first.nextLine == 1 + text[..<first.consumed].count { $0 == 0x0A })
            let second = Array(text[first.consumed...]).withUnsafeBufferPointer {
                decoder.decode($0, firstLine: first.nextLine)
            }
            #expect((first.readings + second.readings).map(\.value) == [1, 2, 3, 4], "\(cut)")
            #expect(first.lines + second.lines == whole.lines, "\(cut)")
            #expect(first.problems + second.problems == whole.problems, "\(cut)")
        }
    }

    @Test("more names than a table holds are forgotten, and the readings stay right")
    func manyNames() {
        var decoder = ReadingDecoder()
        for round in 0..<3 {
            let text = (0..<60_000).map { "m\($0),a=\(round) f=1,g=2,h=3 1\n" }.joined()
            let batch = decode(Array(text.utf8), &decoder)
            #expect(batch.problems.isEmpty)
            #expect(batch.readings.count == 180_000)
            #expect(batch.readings.last?.key.description == "m59999,a=\(round) h")
        }
        let wide = "w " + (0..<2_000).map { "f\($0)=\($0)" }.joined(separator: ",") + "\n"
        for _ in 0..<2 {
            let batch = decode(Array(wide.utf8), &decoder)
            #expect(batch.readings.map(\.value) == (0..<2_000).map { Double($0) })
            #expect(batch.readings.last?.key.description == "w f1999")
        }
    }

    @Test("all refused lines are counted, and the first ones are told")
    func allWrong() {
        var decoder = ReadingDecoder()
        let batch = decode(Array(String(repeating: "x\n", count: 5_000).utf8), &decoder)
        #expect(batch.refused == 5_000)
        #expect(batch.problems.map(\.line) == Array(1...1_000))
    }

    @Test("a small text cannot name gigabytes: its line is refused, and the next one goes on")
    func bomb() {
        var decoder = ReadingDecoder()
        let head = "m,t=" + String(repeating: "x", count: 60_000)
        let line = head + " " + (0..<2_000).map { "f\($0)=1" }.joined(separator: ",")
        let batch = decode(Array("\(line)\nm f=1\n".utf8), &decoder)
        #expect(batch.problems.map(\.line) == [1])
        #expect(batch.readings.map(\.value) == [1])
        #expect(decode(Array("m f=1\n".utf8), &decoder).readings.map(\.value) == [1])
    }

    @Test("a float is the nearest double, in the usual forms and in all others")
    func nearest() throws {
        var random = Random(state: 3)
        var decoder = ReadingDecoder()
        var texts = [
            "9007199254740993", "0.000000000000000000000000001", "1e22", "1e23", "8.5e27", "9999999999999999999",
        ]
        for _ in 0..<40_000 {
            let digits = (0...random.next(20)).map { _ in String(random.next(10)) }.joined()
            let dot = random.next(digits.count + 1)
            let exponent = random.next(3) == 0 ? "e\(random.next(70) - 35)" : ""
            texts.append((random.next(2) == 0 ? "-" : "") + digits.prefix(dot) + "." + digits.dropFirst(dot) + exponent)
        }
        let batch = decode(Array(texts.map { "m f=\($0)\n" }.joined().utf8), &decoder)
        #expect(batch.problems.isEmpty)
        for (text, reading) in zip(texts, batch.readings) {
            let expected = try #require(Double(text))
            #expect(reading.value.bitPattern == expected.bitPattern, "\(text)")
        }
    }

    @Test("a series has the same name through parse, export and ingest, whatever its characters")
    func names() throws {
        var decoder = ReadingDecoder()
        for line in [
            #"m\=x,t\ag=east\\ west f\"=1 1"#, #"a\\,b=c f=1 1"#, "m,e=\u{308},\\ \u{308}=\\,\u{301} f\\ \u{308}=1 1",
            #"m,"q"="r\,s" "f"=1 1"#, "m,b=2,B=1,a=3 f=1 1", #"\,\ ,\==\= \,=1 1"#,
        ] {
            let batch = decode(Array(line.utf8), &decoder)
            let reading = try #require(batch.readings.first)
            let time = try #require(reading.timestamp)
            let exported = Array(ReadingEncoder.lineProtocol(reading.key, time, reading.value).utf8)
            let again = try #require(decode(exported, &decoder).readings.first)
            #expect(Array(again.key.description.utf8) == Array(reading.key.description.utf8))
            #expect(
                Array(try SeriesKey(parsing: reading.key.description).description.utf8)
                    == Array(reading.key.description.utf8))
            let csv = DecodedBatch(csv: ReadingEncoder.csv(reading.key, time, reading.value))
            #expect(csv.readings == [reading])
            #expect(csv.problems.isEmpty)
        }
    }
}

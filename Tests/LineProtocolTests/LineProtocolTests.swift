import LineProtocol
import Testing
import TimeSeries

@Suite("Line protocol")
struct LineProtocolTests {
    private func decode(_ text: String, _ precision: Precision = .nanoseconds) -> DecodedBatch {
        DecodedBatch(lineProtocol: Array(text.utf8), precision: precision)
    }

    @Test("every numeric and boolean field is a reading; strings are counted and skipped")
    func fields() {
        let batch = decode(#"room,id=1 t=21.5,n=3i,u=4u,on=true,note="a b,c=\"d\"" 1700000000"#, .seconds)
        #expect(batch.problems.isEmpty)
        #expect(batch.skipped == 1)
        #expect(batch.readings.map(\.value) == [21.5, 3, 4, 1])
        #expect(batch.readings.map(\.key.description) == ["room,id=1 t", "room,id=1 n", "room,id=1 u", "room,id=1 on"])
        #expect(batch.readings.allSatisfy { $0.timestamp == .from(seconds: 1_700_000_000) })
    }

    @Test("a malformed line says where and what was expected, and its neighbours are kept")
    func problems() {
        let batch = decode("a v=1 1\nb v= 2\nc v=x 3\nd,v=1\n e v=2 5\n")
        #expect(batch.readings.map(\.value) == [1, 2])
        #expect(batch.problems.map(\.line) == [2, 3, 4])
        #expect(batch.problems.map(\.column) == [5, 5, 6])
        #expect(batch.lines == [1, 5])
    }

    @Test(
        "what the grammar does not have is refused",
        arguments: [
            "a v=nan", "a v=inf", "a v=0x10", "a v=1e999", "a v=1 2 3", "a", "a v", ",t=1 v=1", "a v=\"x", "a v=1i2",
        ])
    func refused(_ line: String) {
        let batch = decode(line)
        #expect(batch.readings.isEmpty)
        #expect(batch.problems.count == 1)
    }

    @Test("escapes, comments, empty lines and carriage returns")
    func escapes() {
        let batch = decode("# comment\r\n\r\nro\\ om,k\\=1=v\\,2 f\\ x=1\r\n")
        #expect(batch.problems.isEmpty)
        #expect(batch.readings.map(\.key.description) == [#"ro\ om,k\=1=v\,2 f\ x"#])
        #expect(batch.readings.first?.timestamp == nil)
    }

    @Test("a byte order mark at the beginning is passed over, and belongs to a name anywhere else")
    func orderMark() {
        let batch = decode("\u{feff}a v=1 1\n\u{feff}a v=2 2")
        #expect(batch.problems.isEmpty)
        #expect(batch.readings.map(\.key.description) == ["a v", "\u{feff}a v"])
        let csv = DecodedBatch(csv: "\u{feff}series,timestamp,value\na v,1970-01-01T00:00:00.25Z,1")
        #expect(csv.readings.map(\.key.description) == ["a v"])
        #expect(csv.readings.first?.timestamp == Timestamp(nanoseconds: 250_000_000))
        #expect(DecodedBatch(csv: "\u{feff}a v,1,1").readings.map(\.key.description) == ["a v"])
        let later = DecodedBatch(lineProtocol: Array("\u{feff}a v=1 1".utf8), precision: .nanoseconds, firstLine: 2)
        #expect(later.readings.map(\.key.description) == ["\u{feff}a v"])
    }

    @Test("an export reads back the same, as line protocol and as CSV")
    func roundTrip() throws {
        let key = try SeriesKey(parsing: #"ro\ om,id=a\,b t"#)
        let time = Timestamp(nanoseconds: 1_700_000_000_123_456_789)
        for value in [0.1, -0.0, 1e-300, .leastNonzeroMagnitude, 1.7976931348623157e308, 123456789.125] {
            let line = decode(ReadingEncoder.lineProtocol(key, time, value))
            #expect(line.readings == [IncomingReading(key: key, timestamp: time, value: value)])
            let csv = DecodedBatch(csv: ReadingEncoder.csvHeader + ReadingEncoder.csv(key, time, value))
            #expect(csv.readings == [IncomingReading(key: key, timestamp: time, value: value)])
        }
    }

    @Test("no bytes make the decoder trap")
    func garbage() {
        var state: UInt64 = 42
        let alphabet = Array("a,= \"\\\n\r1.ei-#\u{00e9}t".utf8) + [0xFF, 0]
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<24 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(alphabet[Int((state >> 33) % UInt64(alphabet.count))])
            }
            _ = DecodedBatch(lineProtocol: bytes)
            _ = DecodedBatch(csv: String(decoding: bytes, as: UTF8.self))
        }
    }
}

import LineProtocol
import Testing
import TimeSeries

@Suite("Timestamps written before the first send")
struct StampTests {
    private func stamp(
        _ text: String, _ precision: Precision = .nanoseconds, isWhole: Bool = true
    ) -> LineStamper.Stamped {
        Array(text.utf8).withUnsafeBufferPointer {
            LineStamper(precision: precision).stamp(
                $0, firstLine: 1, isWhole: isWhole, time: Timestamp(nanoseconds: 5_000_000_000))
        }
    }

    @Test(
        "a line without a timestamp gets one behind its last field; every other byte stays",
        arguments: [
            ("m f=1\n", "m f=1 5000000000\n"), ("m f=1 7\n", "m f=1 7\n"), ("m f=1", "m f=1 5000000000"),
            ("m f=1\r\nm f=2 \n", "m f=1 5000000000\r\nm f=2  5000000001\n"), ("# m f=1\n\n", "# m f=1\n\n"),
            ("m f=\nm g=2\n", "m f=\nm g=2 5000000000\n"),
            ("m s=\"a\nb\",f=1\n# c\nm f=1 9\n", "m s=\"a\nb\",f=1 5000000000\n# c\nm f=1 9\n"), ("", ""),
        ])
    func stamped(_ text: String, _ expected: String) {
        let stamped = stamp(text)
        #expect(String(decoding: stamped.text, as: UTF8.self) == expected)
        #expect(stamped.consumed == text.utf8.count)
        #expect(stamped.nextLine == 1 + text.utf8.count { $0 == 0x0A })
    }

    @Test("the timestamp is in the unit of the others")
    func unit() {
        #expect(String(decoding: stamp("m f=1\nm f=2\n", .seconds).text, as: UTF8.self) == "m f=1 5\nm f=2 5\n")
    }

    @Test("an entry that goes on in the next piece is left for it")
    func pieces() {
        let stamped = stamp("m f=1\nm s=\"a\nb", isWhole: false)
        #expect(String(decoding: stamped.text, as: UTF8.self) == "m f=1 5000000000\n")
        #expect(stamped.consumed == 6)
        #expect(stamped.nextLine == 2)
    }

    @Test("what is stamped decodes to the readings of the original at that time")
    func readings() {
        let text = "room,id=1 t=21.5,on=T\nroom,id=2 t=1i 3\nbad\nroom,id=3 s=\"x\",t=2u\n"
        let stamped = DecodedBatch(lineProtocol: stamp(text).text)
        let original = DecodedBatch(lineProtocol: Array(text.utf8))
        #expect(stamped.readings.map(\.key) == original.readings.map(\.key))
        #expect(stamped.readings.map(\.value) == original.readings.map(\.value))
        #expect(stamped.problems == original.problems)
        #expect(
            stamped.readings.map { $0.timestamp?.nanoseconds } == [5_000_000_000, 5_000_000_000, 3, 5_000_000_001])
    }
}

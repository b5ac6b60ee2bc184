import LineProtocol

/// Lines per second on one core, from bytes to readings with their series, in pieces as the daemon gets them.
@main
struct LineProtocolBenchmark {
    static func main() {
        print("| lines | bytes per line | lines/s | readings/s | MB/s |\n|---|---|---|---|---|")
        for shape in Shape.all { measure(shape) }
    }

    static func measure(_ shape: Shape) {
        let text = shape.text(lines: 1_000_000)
        var seconds: [Double] = []
        var readings = 0
        for _ in 0..<7 {
            var decoder = ReadingDecoder()
            let start = ContinuousClock.now
            readings = decode(text, &decoder)
            seconds.append(start.duration(to: .now) / .seconds(1))
        }
        let median = seconds.sorted()[seconds.count / 2]
        let millions = { (count: Double) in "\((count / median / 1e4).rounded() / 100) M" }
        print(
            "| \(shape.name) | \(text.count / 1_000_000) | \(millions(1e6)) | \(millions(Double(readings))) "
                + "| \(Int(Double(text.count) / median / 1e6)) |")
    }

    /// In pieces of 512 KiB, as `niloctl ingest` sends them; every value is used.
    static func decode(_ text: [UInt8], _ decoder: inout ReadingDecoder) -> Int {
        text.withUnsafeBufferPointer { text in
            var (place, readings, sum) = (0, 0, 0.0)
            while place < text.count {
                let piece = text[place..<min(place + 524_288, text.count)]
                let batch = decoder.decode(
                    UnsafeBufferPointer(rebasing: piece), isWhole: piece.endIndex == text.count)
                precondition(batch.problems.isEmpty && batch.consumed > 0)
                place += batch.consumed
                readings += batch.readings.count
                for reading in batch.readings { sum += reading.value }
            }
            precondition(sum.isFinite)
            return readings
        }
    }
}

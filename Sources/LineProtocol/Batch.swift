public import TimeSeries

/// A text of readings decoded: the good ones, and what was wrong with the others.
public struct DecodedBatch: Sendable {
    public var readings: [IncomingReading] = []
    /// The line that each reading came from.
    public var lines: [Int] = []
    public var problems: [LineProblem] = []
    /// String fields, which are not readings.
    public var skipped = 0

    /// Line protocol.
    public init(lineProtocol bytes: [UInt8], precision: Precision = .nanoseconds, firstLine: Int = 1) {
        var decoder = LineDecoder(bytes, precision: precision, firstLine: firstLine)
        while let result = decoder.next() {
            switch result {
            case .success(let point):
                let found = point.readings
                skipped += point.fields.count - found.count
                readings += found
                lines += Array(repeating: decoder.lineOfLast, count: found.count)
            case .failure(let problem): problems.append(problem)
            }
        }
    }

    /// CSV: `series,timestamp,value`.
    public init(csv text: String, precision: Precision = .nanoseconds, firstLine: Int = 1) {
        var decoder = CSVDecoder(text, precision: precision, firstLine: firstLine)
        while let result = decoder.next() {
            switch result {
            case .success(let reading):
                readings.append(reading)
                lines.append(decoder.lineOfLast)
            case .failure(let problem): problems.append(problem)
            }
        }
    }
}

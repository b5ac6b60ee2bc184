public import TimeSeries

/// The result of decoding a text of readings: the valid readings, and the problems in the other lines.
public struct DecodedBatch: Sendable {
    public var readings: [IncomingReading] = []
    /// The line number of each reading.
    public var lines: [Int] = []
    /// The problems in the refused lines, at most 1000: every line of a text may be malformed.
    public private(set) var problems: [LineProblem] = []
    /// The number of refused lines.
    public var refused = 0
    /// The number of string fields, which are not readings.
    public var skipped = 0

    /// The number of bytes decoded: all of them, unless more text was to follow.
    public var consumed = 0
    /// The number of the line after the decoded bytes.
    public var nextLine = 1

    public init() {}

    /// Decodes line protocol.
    public init(lineProtocol bytes: [UInt8], precision: Precision = .nanoseconds, firstLine: Int = 1) {
        var decoder = ReadingDecoder()
        self = bytes.withUnsafeBufferPointer { decoder.decode($0, precision: precision, firstLine: firstLine) }
    }

    /// Reserves capacity for a text of `count` bytes, assuming lines of 100 bytes with two fields.
    mutating func reserve(forBytes count: Int) {
        readings.reserveCapacity(count / 50)
        lines.reserveCapacity(count / 50)
    }

    /// Decodes CSV: `series,timestamp,value`.
    public init(csv text: String, precision: Precision = .nanoseconds, firstLine: Int = 1) {
        var decoder = CSVDecoder(text, precision: precision, firstLine: firstLine)
        while let result = decoder.next() {
            switch result {
            case .success(let reading):
                readings.append(reading)
                lines.append(decoder.lineOfLast)
            case .failure(let problem): refuse(problem)
            }
        }
    }

    /// Removes all readings after the first `count`.
    mutating func removeReadings(downTo count: Int) {
        readings.removeLast(readings.count - count)
        lines.removeLast(lines.count - count)
    }

    private static let maximumProblems = 1_000

    mutating func refuse(_ problem: LineProblem) {
        refused += 1
        if problems.count < Self.maximumProblems { problems.append(problem) }
    }
}

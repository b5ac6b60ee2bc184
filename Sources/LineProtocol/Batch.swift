public import TimeSeries

/// A text of readings decoded: the good ones, and what was wrong with the others.
public struct DecodedBatch: Sendable {
    public var readings: [IncomingReading] = []
    /// The line that each reading came from.
    public var lines: [Int] = []
    /// What was wrong with the first refused lines, up to a number: a text may be all wrong.
    public private(set) var problems: [LineProblem] = []
    /// How many lines were refused.
    public var refused = 0
    /// String fields, which are not readings.
    public var skipped = 0

    /// How many bytes of the text were read: all, unless more was to follow.
    public var consumed = 0
    /// The number of the line that comes after those.
    public var nextLine = 1

    public init() {}

    /// Line protocol.
    public init(lineProtocol bytes: [UInt8], precision: Precision = .nanoseconds, firstLine: Int = 1) {
        var decoder = ReadingDecoder()
        self = bytes.withUnsafeBufferPointer { decoder.decode($0, precision: precision, firstLine: firstLine) }
    }

    /// Room for what so many bytes hold, as lines of 100 bytes with two fields.
    mutating func reserve(forBytes count: Int) {
        readings.reserveCapacity(count / 50)
        lines.reserveCapacity(count / 50)
    }

    /// CSV: `series,timestamp,value`.
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

    /// Takes back the readings that came after the first `count`.
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

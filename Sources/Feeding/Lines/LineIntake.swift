public import LineProtocol
public import TimeSeries

/// What became of some readings.
public struct IngestOutcome: Sendable {
    /// On disk, if somebody waited for that.
    public var accepted: Int
    /// Readings that were refused one by one: the place in the request, and why.
    public var refusals: [(index: Int, reason: String)]

    public init(accepted: Int, refusals: [(index: Int, reason: String)]) {
        (self.accepted, self.refusals) = (accepted, refusals)
    }
}

/// Turns bytes of line protocol into committed readings and problems: the one way for every listener.
///
/// One per sender, which it serves in order; it remembers the sender's series.
public struct LineIntake: Sendable {
    /// Commits readings and returns when they are on disk; throws when none was taken.
    public typealias Commit = @Sendable ([IncomingReading]) async throws -> IngestOutcome

    /// What became of some lines.
    public struct Outcome: Sendable {
        public var accepted = 0
        /// Malformed lines and readings that were refused.
        public var refused = 0
        /// What was wrong with the first of them, in the order of the lines.
        public var problems: [LineProblem] = []
        /// Bytes that were read. The rest is a line that goes on, if more is to follow.
        public var consumed = 0
    }

    /// What it has come to know of the sender's series; nil before the first bytes.
    private var decoder: ReadingDecoder?
    private let pool: DecoderPool?
    private let precision: Precision
    private let counters: FeedCounters
    private let commit: Commit
    /// The number of the line that comes next.
    private(set) var line = 1

    public init(precision: Precision, counters: FeedCounters, commit: @escaping Commit) {
        self.init(precision: precision, counters: counters, pool: nil, commit: commit)
    }

    /// - Parameter pool: where it takes its decoder from, and puts it back with ``finish()``.
    init(precision: Precision, counters: FeedCounters, pool: DecoderPool?, commit: @escaping Commit) {
        (self.precision, self.counters, self.pool, self.commit) = (precision, counters, pool, commit)
    }

    /// Leaves what it knows to the next sender; nothing is decoded afterwards.
    mutating func finish() {
        if let decoder { pool?.giveBack(decoder) }
        decoder = nil
    }

    /// Decodes and commits. Good lines are taken whatever their neighbours are.
    ///
    /// - Parameter isWhole: whether nothing follows that belongs to the last line.
    /// - Throws: what the commit throws; nothing was taken then.
    public mutating func take(_ bytes: some Collection<UInt8>, isWhole: Bool) async throws -> Outcome {
        try await commit(decode(bytes, isWhole: isWhole))
    }

    mutating func decode(_ bytes: some Collection<UInt8>, isWhole: Bool) -> DecodedBatch {
        func decode(_ buffer: UnsafeBufferPointer<UInt8>) -> DecodedBatch {
            var known = decoder.take() ?? pool?.take(for: buffer) ?? ReadingDecoder()
            let batch = known.decode(buffer, precision: precision, firstLine: line, isWhole: isWhole)
            decoder = known
            line = batch.nextLine
            return batch
        }
        return bytes.withContiguousStorageIfAvailable(decode) ?? Array(bytes).withUnsafeBufferPointer(decode)
    }

    func commit(_ batch: DecodedBatch) async throws -> Outcome {
        var outcome = Outcome(refused: batch.refused, problems: batch.problems, consumed: batch.consumed)
        if !batch.readings.isEmpty {
            let committed = try await commit(batch.readings)
            outcome.accepted = committed.accepted
            outcome.refused += committed.refusals.count
            outcome.problems += committed.refusals.map { refusal in
                LineProblem(
                    line: batch.lines[refusal.index], column: 1,
                    reason: "\(batch.readings[refusal.index].key.shortText): \(refusal.reason)")
            }
            outcome.problems.sort { $0.line < $1.line }
        }
        counters.add(accepted: outcome.accepted, skipped: batch.skipped, problems: outcome.refused)
        return outcome
    }
}

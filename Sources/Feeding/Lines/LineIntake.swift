public import LineProtocol
public import TimeSeries

/// The result of ingesting some readings.
public struct IngestOutcome: Sendable {
    /// Readings that were accepted; they are on disk if the caller waited for the commit.
    public var accepted: Int
    /// How many of them were too late to change the state.
    public var late: Int
    /// The journal position of the newest of the commit.
    public var position: Int64
    /// Readings that were refused individually: the index in the request, and the reason.
    public var refusals: [(index: Int, reason: String)]

    public init(accepted: Int, late: Int = 0, position: Int64 = 0, refusals: [(index: Int, reason: String)]) {
        (self.accepted, self.late, self.position, self.refusals) = (accepted, late, position, refusals)
    }
}

/// Turns bytes of line protocol into committed readings and problems; used by every listener.
///
/// One per sender, whose lines it processes in order; it remembers the sender's series.
public struct LineIntake: Sendable {
    /// Commits readings and returns when they are on disk; throws if none was accepted.
    public typealias Commit = @Sendable ([IncomingReading]) async throws -> IngestOutcome

    /// The result of ingesting some lines.
    public struct Outcome: Sendable {
        /// Readings that were accepted.
        public var accepted = 0
        /// How many of them were too late to change the state.
        public var late = 0
        /// Text fields, which are not readings.
        public var skipped = 0
        /// The journal position of the newest reading; 0 if there was none.
        public var position: Int64 = 0
        /// Malformed lines and readings that were refused.
        public var refused = 0
        /// What was wrong with the first of these, in the order of the lines.
        public var problems: [LineProblem] = []
        /// Bytes that were consumed. The rest is an incomplete line, if more is to follow.
        public var consumed = 0
    }

    /// The decoder, which knows the sender's series; nil before the first bytes.
    private var decoder: ReadingDecoder?
    private let pool: DecoderPool?
    private let precision: Precision
    private let counters: FeedCounters
    private let commit: Commit
    /// The number of the next line, from 1.
    private(set) var line = 1

    /// An intake with a decoder of its own.
    public init(precision: Precision, counters: FeedCounters, commit: @escaping Commit) {
        self.init(precision: precision, counters: counters, pool: nil, commit: commit)
    }

    /// - Parameter pool: provides the decoder, which ``finish()`` returns.
    init(precision: Precision, counters: FeedCounters, pool: DecoderPool?, commit: @escaping Commit) {
        (self.precision, self.counters, self.pool, self.commit) = (precision, counters, pool, commit)
    }

    /// Returns the decoder to the pool for the next sender; nothing may be decoded afterwards.
    mutating func finish() {
        if let decoder { pool?.checkIn(decoder) }
        decoder = nil
    }

    /// Decodes and commits lines. Good lines are accepted even if others are bad.
    ///
    /// - Parameter isWhole: whether the last line is complete.
    /// - Throws: what the commit throws; nothing was accepted then.
    public mutating func ingest(_ bytes: some Collection<UInt8>, isWhole: Bool) async throws -> Outcome {
        try await commit(decode(bytes, isWhole: isWhole))
    }

    mutating func decode(_ bytes: some Collection<UInt8>, isWhole: Bool) -> DecodedBatch {
        func decode(_ buffer: UnsafeBufferPointer<UInt8>) -> DecodedBatch {
            var known = decoder.take() ?? pool?.checkOut(for: buffer) ?? ReadingDecoder()
            let batch = known.decode(buffer, precision: precision, firstLine: line, isWhole: isWhole)
            decoder = known
            line = batch.nextLine
            return batch
        }
        return bytes.withContiguousStorageIfAvailable(decode) ?? Array(bytes).withUnsafeBufferPointer(decode)
    }

    /// Commits what was decoded, also from another format than lines.
    ///
    /// - Throws: what the commit throws; nothing was accepted then.
    public func commit(_ batch: DecodedBatch) async throws -> Outcome {
        var outcome = Outcome(
            skipped: batch.skipped, refused: batch.refused, problems: batch.problems, consumed: batch.consumed)
        if !batch.readings.isEmpty {
            let committed = try await commit(batch.readings)
            (outcome.accepted, outcome.late) = (committed.accepted, committed.late)
            outcome.position = committed.position
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

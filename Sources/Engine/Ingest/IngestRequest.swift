public import TimeSeries

/// Readings on their way to the journal, and the completion to call.
struct IngestRequest: Sendable {
    var readings: [IncomingReading]
    /// The timestamp of readings that have none of their own; a deferred commit must not change it.
    var arrivedAt: Timestamp
    /// False for a source whose sender does not wait: the request may wait to share a commit.
    var isUrgent: Bool
    var completion: @Sendable (Result<IngestReceipt, any Error>) -> Void
}

/// The result of one request, sent once its readings are on disk.
public struct IngestReceipt: Sendable, Hashable {
    /// The number of readings written to the journal.
    public var accepted: Int
    /// How many of those were too late to step the state.
    public var late: Int
    /// The readings that were refused individually.
    public var refusals: [Refusal]
    /// The journal position of the newest reading of the commit.
    public var position: JournalPosition
}

/// One refused reading.
public struct Refusal: Sendable, Hashable, CustomStringConvertible {
    /// Its index in the request.
    public var index: Int
    public var reason: RefusalReason
    /// The refused character of the name; nil for other reasons.
    public var character: Unicode.Scalar?

    package init(index: Int, reason: RefusalReason, character: Unicode.Scalar? = nil) {
        self.index = index
        self.reason = reason
        self.character = character
    }

    public var description: String { "\(reason)" + (character.map { ", not \($0.codePoint)" } ?? "") }
}

/// Why a reading is refused.
public enum RefusalReason: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
    case notFinite, tooFarAhead, clockUnset, slotFull, outOfRange, tooManySeries, unprintableName, nameTooLong

    public var description: String {
        switch self {
        case .notFinite: "the value is NaN or infinite; expected a finite number"
        case .tooFarAhead: "the timestamp is more than 5 minutes ahead of this machine's clock; check both clocks"
        case .clockUnset: "this machine's clock is not set, so the reading needs a timestamp of its own"
        case .slotFull: "its slot already has 4096 readings; declare a finer cadence for the series"
        case .tooManySeries:
            "there are as many series as max_series allows; forget some, raise it, or look for a tag with endless values"
        case .unprintableName:
            "expected a name without control characters, line separators and bidirectional controls"
        case .nameTooLong: "the series' name has more than 65536 bytes; shorten its tags"
        case .outOfRange: "the timestamp is outside 1678 to 2262"
        }
    }
}

/// The database identifier of a series.
public struct SeriesID: Hashable, Comparable, Sendable, Codable {
    public let rawValue: Int64
    public init(_ rawValue: Int64) { self.rawValue = rawValue }
    public static func < (a: SeriesID, b: SeriesID) -> Bool { a.rawValue < b.rawValue }
}

/// The position of a reading in the journal: 1 for the first reading ever committed, then counting up. 0 means "before
/// all readings".
public typealias JournalPosition = Int64

/// Whether a reading arrived in time to update the forecasters' state.
///
/// Decided once, when the reading is committed, and stored with it.
public enum Timeliness: UInt8, Sendable, Codable {
    /// In a slot newer than the series' frontier minus its lateness: advances the state.
    case fresh = 0
    /// Older than that: stored, exported, used in training and in the next warm-up, but not applied to the running
    /// state.
    case late = 1
}

/// The value of one series at one instant, as stored in the journal.
public struct Reading: Hashable, Sendable {
    public var series: SeriesID
    public var timestamp: Timestamp
    /// Always finite: ingest refuses NaN and infinities.
    public var value: Double
    public var timeliness: Timeliness

    public init(series: SeriesID, timestamp: Timestamp, value: Double, timeliness: Timeliness) {
        self.series = series
        self.timestamp = timestamp
        self.value = value
        self.timeliness = timeliness
    }
}

/// How the readings in one slot are combined into the slot's value.
public enum Aggregate: String, Sendable, Codable, CaseIterable {
    case mean, last, max, min, sum

    /// The aggregate of `values`, given in ascending order of their timestamps; nil for none.
    ///
    /// Sums are computed in that order, so the same readings give the same bits in whatever order they arrived.
    public func callAsFunction(_ values: some Collection<Double>) -> Double? {
        guard let first = values.first else { return nil }
        let rest = values.dropFirst()
        switch self {
        case .last: return rest.reduce(first) { $1 }
        case .max: return rest.reduce(first) { Swift.max($0, $1) }
        case .min: return rest.reduce(first) { Swift.min($0, $1) }
        case .sum: return rest.reduce(first, +)
        case .mean: return rest.reduce(first, +) / Double(values.count)
        }
    }
}

/// The number by which the database knows a series.
public struct SeriesID: Hashable, Comparable, Sendable, Codable {
    public let rawValue: Int64
    public init(_ rawValue: Int64) { self.rawValue = rawValue }
    public static func < (a: SeriesID, b: SeriesID) -> Bool { a.rawValue < b.rawValue }
}

/// The place of one reading in the journal: 1 for the first reading ever committed, then counting up. 0 means "before
/// all readings".
public typealias JournalPosition = Int64

/// Whether a reading was in time for the forecasters' state. Decided once, when the reading is committed, and stored.
public enum Timeliness: UInt8, Sendable, Codable {
    /// In a slot newer than the series' frontier minus its lateness: steps the state.
    case fresh = 0
    /// Older than that: stored, exported, trained on and part of the next warm-up, but not of the running state.
    case late = 1
}

/// One value of one series at one instant, as the journal keeps it.
public struct Reading: Hashable, Sendable {
    public var series: SeriesID
    public var timestamp: Timestamp
    /// Always finite: NaN and infinities are refused at ingest.
    public var value: Double
    public var timeliness: Timeliness

    public init(series: SeriesID, timestamp: Timestamp, value: Double, timeliness: Timeliness) {
        self.series = series
        self.timestamp = timestamp
        self.value = value
        self.timeliness = timeliness
    }
}

/// How the readings of one slot become the slot's value.
public enum Aggregate: String, Sendable, Codable, CaseIterable {
    case mean, last, max, min, sum

    /// The aggregate of `values`, given in ascending order of their timestamps; nil for none.
    ///
    /// Sums run in that order, so the same readings give the same bits whatever order they arrived in.
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

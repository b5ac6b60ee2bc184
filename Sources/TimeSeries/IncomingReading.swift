/// A reading as it comes in, before the journal knows its series.
public struct IncomingReading: Sendable, Hashable {
    public var key: SeriesKey
    /// nil: the time of arrival.
    public var timestamp: Timestamp?
    public var value: Double

    public init(key: SeriesKey, timestamp: Timestamp?, value: Double) {
        self.key = key
        self.timestamp = timestamp
        self.value = value
    }
}

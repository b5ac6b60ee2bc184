/// A reading as it arrives, before the journal has assigned its series an ID.
public struct IncomingReading: Sendable, Hashable {
    public var key: SeriesKey
    /// nil means the time of arrival.
    public var timestamp: Timestamp?
    public var value: Double

    public init(key: SeriesKey, timestamp: Timestamp?, value: Double) {
        self.key = key
        self.timestamp = timestamp
        self.value = value
    }
}

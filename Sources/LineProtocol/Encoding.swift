public import TimeSeries

/// Encodes a reading as one line of an export.
public enum ReadingEncoder {
    /// `measurement,tag=value field=1.5 1700000000000000000`.
    public static func lineProtocol(_ key: SeriesKey, _ timestamp: Timestamp, _ value: Double) -> String {
        "\(key.description)=\(value) \(timestamp.nanoseconds)\n"
    }

    /// `"measurement,tag=value field",1700000000000000000,1.5`.
    public static func csv(_ key: SeriesKey, _ timestamp: Timestamp, _ value: Double) -> String {
        "\(CSVText.field(key.description)),\(timestamp.nanoseconds),\(value)\n"
    }

    /// `{"series":"room,id=1 t","timestamp":1700000000000000000,"value":1.5}`.
    public static func json(_ key: SeriesKey, _ timestamp: Timestamp, _ value: Double) -> String {
        "{\"series\":\(JSONText.quoted(key.description)),\"timestamp\":\(timestamp.nanoseconds),\"value\":\(value)}\n"
    }

    public static let csvHeader = "series,timestamp,value\n"
}

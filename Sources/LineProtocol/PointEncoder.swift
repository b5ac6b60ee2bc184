public import TimeSeries

/// Encodes points as lines of JSON, for people and tools that want to see the contents of a line protocol text.
public enum PointEncoder {
    /// `{"measurement":"room","tags":{"id":"1"},"fields":{"t":{"float":1.5}},"timestamp":1700000000000000000}`, with
    /// keys in their order in the line. A duplicate field is written twice.
    ///
    /// - Parameters:
    ///   - point: the line.
    ///   - time: the timestamp of a point that has none; truncated to the precision, as InfluxDB does.
    ///   - precision: of that timestamp.
    public static func json(_ point: Point, time: Timestamp, precision: Precision) -> String {
        let tags = point.tags.map { "\(JSONText.quoted($0.key)):\(JSONText.quoted($0.value))" }
        let fields = point.fields.map { "\(JSONText.quoted($0.key)):\(json($0.value))" }
        let timestamp = point.timestamp ?? precision.truncated(time)
        return "{\"measurement\":\(JSONText.quoted(point.measurement)),\"tags\":{\(tags.joined(separator: ","))},"
            + "\"fields\":{\(fields.joined(separator: ","))},\"timestamp\":\(timestamp.nanoseconds)}\n"
    }

    private static func json(_ value: Point.Value) -> String {
        switch value {
        case .float(let number): "{\"float\":\(number)}"
        case .integer(let number): "{\"int\":\(number)}"
        case .unsigned(let number): "{\"uint\":\(number)}"
        case .boolean(let isTrue): "{\"bool\":\(isTrue)}"
        case .string(let text): "{\"string\":\(JSONText.quoted(text))}"
        }
    }
}

extension Precision {
    /// `time` rounded down to a whole unit.
    fileprivate func truncated(_ time: Timestamp) -> Timestamp {
        let (start, overflow) = floorDivide(time.nanoseconds, factor).multipliedReportingOverflow(by: factor)
        return overflow ? time : Timestamp(nanoseconds: start)
    }
}

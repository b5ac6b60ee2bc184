public import TimeSeries

/// Points as lines of JSON, for people and tools that want to see what a text of line protocol says.
public enum PointEncoder {
    /// `{"measurement":"room","tags":{"id":"1"},"fields":{"t":{"float":1.5}},"timestamp":1700000000000000000}`, keys in
    /// the order of the line. A field that is there twice is written twice.
    ///
    /// - Parameter time: of a point without a timestamp of its own; cut to the precision, as InfluxDB does.
    public static func json(_ point: Point, time: Timestamp, precision: Precision) -> String {
        let tags = point.tags.map { "\(JSONText.quoted($0.key)):\(JSONText.quoted($0.value))" }
        let fields = point.fields.map { "\(JSONText.quoted($0.key)):\(json($0.value))" }
        let timestamp = point.timestamp ?? precision.cut(time)
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
    /// The newest whole unit that is not after `time`.
    fileprivate func cut(_ time: Timestamp) -> Timestamp {
        let (start, overflow) = floorDivide(time.nanoseconds, factor).multipliedReportingOverflow(by: factor)
        return overflow ? time : Timestamp(nanoseconds: start)
    }
}

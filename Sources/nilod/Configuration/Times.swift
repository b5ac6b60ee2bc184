import TimeSeries

extension Timestamp {
    /// RFC 3339, or whole nanoseconds; nil for anything else.
    init?(text: String) {
        if let nanoseconds = Int64(text) {
            self.init(nanoseconds: nanoseconds)
        } else {
            self.init(rfc3339: text)
        }
    }
}

import TimeSeries

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension Timestamp {
    /// RFC 3339, or whole nanoseconds; nil for anything else.
    init?(text: String) {
        if let nanoseconds = Int64(text) {
            self.init(nanoseconds: nanoseconds)
        } else if let date = try? Date(text, strategy: .iso8601) {
            self = .from(seconds: Int64(date.timeIntervalSince1970))
        } else {
            return nil
        }
    }
}

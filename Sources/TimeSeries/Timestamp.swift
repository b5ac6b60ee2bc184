/// `TimeSeries`: the shared vocabulary as value types, without I/O.

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, as in line protocol.
///
/// The range is that of `Int64`: 1677-09-21 to 2262-04-11. Arithmetic saturates instead of trapping, because timestamps
/// come from untrusted sources.
public struct Timestamp: Hashable, Comparable, Sendable, Codable {
    /// Nanoseconds since the Unix epoch.
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Seconds since the Unix epoch, rounded towards the past.
    public var seconds: Int64 { floorDivide(nanoseconds, 1_000_000_000) }

    /// This instant moved by `nanoseconds`, saturating at the ends of the range.
    public func advanced(byNanoseconds delta: Int64) -> Timestamp {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(delta)
        return Timestamp(nanoseconds: overflow ? (delta > 0 ? .max : .min) : sum)
    }

    /// Nanoseconds from `other` to this instant, saturating.
    public func nanoseconds(since other: Timestamp) -> Int64 {
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(other.nanoseconds)
        return overflow ? (nanoseconds > other.nanoseconds ? .max : .min) : difference
    }

    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }
    /// `seconds` since the Unix epoch, saturating at the ends of the range.
    public static func from(seconds: Int64) -> Timestamp {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return Timestamp(nanoseconds: overflow ? (seconds > 0 ? .max : .min) : product)
    }
    public static let distantPast = Timestamp(nanoseconds: .min)
    public static let distantFuture = Timestamp(nanoseconds: .max)
}

/// Division rounded towards negative infinity; `divisor` is positive.
@inlinable
public func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    let quotient = dividend / divisor
    return dividend % divisor < 0 ? quotient - 1 : quotient
}

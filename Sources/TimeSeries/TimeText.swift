extension Timestamp {
    /// RFC 3339 in UTC, to the millisecond, rounded towards the past: `2025-06-15T14:26:40.000Z`.
    ///
    /// A forecast with its history has 145 of these, so they are not left to a date formatter, which takes several
    /// microseconds each. Every ``Timestamp`` has a four-digit year.
    package var text: String {
        let day = floorDivide(nanoseconds, Self.day)
        // The first day of the range begins before the earliest ``Timestamp``, so its start is not representable.
        let rest = nanoseconds % Self.day
        let millisecond = (rest < 0 ? rest + Self.day : rest) / 1_000_000
        let (year, month, date) = CivilDay.date(of: day)
        return String(unsafeUninitializedCapacity: 24) { text in
            func write(_ value: Int64, _ range: Range<Int>, then separator: Unicode.Scalar) {
                var rest = value
                for index in range.reversed() {
                    text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
                text[range.upperBound] = UInt8(ascii: separator)
            }
            write(year, 0..<4, then: "-")
            write(month, 5..<7, then: "-")
            write(date, 8..<10, then: "T")
            write(millisecond / 3_600_000, 11..<13, then: ":")
            write(millisecond / 60_000 % 60, 14..<16, then: ":")
            write(millisecond / 1_000 % 60, 17..<19, then: ".")
            write(millisecond % 1_000, 20..<23, then: "Z")
            return 24
        }
    }

    private static let day: Int64 = 86_400_000_000_000
}

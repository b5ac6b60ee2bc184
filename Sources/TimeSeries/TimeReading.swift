extension Timestamp {
    /// Parses RFC 3339, also with a space in place of the `T`: `2026-01-31T12:00:00.25Z`, `2026-01-31 13:00:00+01:00`.
    ///
    /// Saturates like all arithmetic on timestamps; nil for anything else.
    ///
    /// Exact to the nanosecond, which a floating-point number of seconds is not; further digits are truncated.
    ///
    /// - Parameter isAbbreviated: whether the seconds, the whole time of day and the zone may be left out: `2026-01-31` is
    ///   midnight, and a time without a zone is UTC.
    package init?(rfc3339 text: some StringProtocol, isAbbreviated: Bool = false) {
        var reader = Reader(rest: Array(text.utf8)[...])
        guard let year = reader.number(4), reader.consume("-"), let month = reader.number(2), reader.consume("-"),
            let date = reader.number(2)
        else { return nil }
        var (hour, minute, second, fraction, offset) = (Int64(0), Int64(0), Int64(0), Int64(0), Int64(0))
        if !isAbbreviated || !reader.rest.isEmpty {
            guard reader.consume("Tt "), let hours = reader.number(2), reader.consume(":"),
                let minutes = reader.number(2)
            else { return nil }
            (hour, minute) = (hours, minutes)
            if reader.consume(":") {
                guard let seconds = reader.number(2), let digits = reader.fraction() else { return nil }
                (second, fraction) = (seconds, digits)
            } else if !isAbbreviated {
                return nil
            }
            if !isAbbreviated || !reader.rest.isEmpty {
                guard let east = reader.offset() else { return nil }
                offset = east
            }
        }
        guard reader.rest.isEmpty else { return nil }
        // A leap second counts as the second after it.
        guard (1...12).contains(month), (1...Self.length(year, month)).contains(date) else { return nil }
        guard hour < 24, minute < 60, second < 61 else { return nil }
        let seconds = CivilDay.days(year, month, date) * 86_400 + hour * 3_600 + minute * 60 + second - offset
        self = Timestamp.from(seconds: seconds).advanced(byNanoseconds: fraction)
    }

    private static func length(_ year: Int64, _ month: Int64) -> Int64 {
        switch month {
        case 2: CivilDay.isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// Reads the parts of a time in order.
private struct Reader {
    var rest: ArraySlice<UInt8>

    /// Reads a number of exactly `count` digits.
    mutating func number(_ count: Int) -> Int64? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ Self.digits.contains($0) }) else { return nil }
        rest = rest.dropFirst(count)
        return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    /// Consumes the next byte if it is one of `characters`.
    mutating func consume(_ characters: StaticString) -> Bool {
        guard let byte = rest.first, characters.withUTF8Buffer({ $0.contains(byte) }) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// The fraction of a second in nanoseconds: 0 when there is none, nil when no digits follow the decimal separator.
    mutating func fraction() -> Int64? {
        guard consume(".,") else { return 0 }
        let digits = rest.prefix { Self.digits.contains($0) }
        rest = rest.dropFirst(digits.count)
        let known = digits.prefix(9).reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        return digits.isEmpty ? nil : (min(9, digits.count)..<9).reduce(known) { value, _ in value * 10 }
    }

    /// The offset in seconds east of UTC.
    mutating func offset() -> Int64? {
        if consume("Zz") { return 0 }
        let isWest = rest.first == UInt8(ascii: "-")
        guard consume("+-"), let hours = number(2), hours < 24 else { return nil }
        _ = consume(":")
        guard let minutes = number(2), minutes < 60 else { return nil }
        return (isWest ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }

    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
}

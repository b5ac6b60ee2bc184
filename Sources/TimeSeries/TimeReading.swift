extension Timestamp {
    /// RFC 3339, also with a space for the `T`: `2026-01-31T12:00:00.25Z`, `2026-01-31 13:00:00+01:00`. Saturates like all
    /// arithmetic here; nil for anything else.
    ///
    /// To the nanosecond, which a floating-point number of seconds is not; further digits are cut.
    package init?(rfc3339 text: some StringProtocol) {
        var reader = Reader(rest: Array(text.utf8)[...])
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let date = reader.number(2), reader.take("Tt "), let hour = reader.number(2), reader.take(":"),
            let minute = reader.number(2), reader.take(":"), let second = reader.number(2)
        else { return nil }
        guard let fraction = reader.fraction(), let offset = reader.offset(), reader.rest.isEmpty else { return nil }
        // A leap second is the one after it.
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

/// The parts of a time, one after the other.
private struct Reader {
    var rest: ArraySlice<UInt8>

    /// A number of so many digits.
    mutating func number(_ count: Int) -> Int64? {
        let digits = rest.prefix(count)
        guard digits.count == count, digits.allSatisfy({ Self.digits.contains($0) }) else { return nil }
        rest = rest.dropFirst(count)
        return digits.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    /// One of these characters.
    mutating func take(_ characters: StaticString) -> Bool {
        guard let byte = rest.first, characters.withUTF8Buffer({ $0.contains(byte) }) else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// In nanoseconds; 0 where there is none, nil where a point has no digits behind it.
    mutating func fraction() -> Int64? {
        guard take(".,") else { return 0 }
        let digits = rest.prefix { Self.digits.contains($0) }
        rest = rest.dropFirst(digits.count)
        let known = digits.prefix(9).reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        return digits.isEmpty ? nil : (min(9, digits.count)..<9).reduce(known) { value, _ in value * 10 }
    }

    /// In seconds east of UTC.
    mutating func offset() -> Int64? {
        if take("Zz") { return 0 }
        let isWest = rest.first == UInt8(ascii: "-")
        guard take("+-"), let hours = number(2), hours < 24 else { return nil }
        _ = take(":")
        guard let minutes = number(2), minutes < 60 else { return nil }
        return (isWest ? -1 : 1) * (hours * 3_600 + minutes * 60)
    }

    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
}

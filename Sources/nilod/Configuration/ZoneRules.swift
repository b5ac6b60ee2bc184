/// The offsets of one time zone, from a file of the tz database.
///
/// RFC 8536 says what the bytes mean; of the two parts of a file this reads the second, with times of eight bytes, and the
/// rule in its last line for all times after the last transition.
struct ZoneRules: Sendable {
    /// Ascending, in seconds since the epoch.
    private var transitions: [Int64] = []
    /// Seconds to add to UTC from each transition on.
    private var offsets: [Int32] = []
    /// Before the first transition.
    private var first: Int32 = 0
    private var later: YearlyRule?

    /// nil if the bytes are no such file.
    init?(_ bytes: [UInt8]) {
        var reader = Reader(bytes)
        guard let (_, first) = Self.header(&reader), reader.skip(first.size(timeBytes: 4)),
            let (version, counts) = Self.header(&reader), version >= UInt8(ascii: "2"),
            read(counts, &reader)
        else { return nil }
        later = YearlyRule(reader.rest)
    }

    private struct Counts {
        var utc = 0
        var standard = 0
        var leaps = 0
        var times = 0
        var types = 0
        var letters = 0

        func size(timeBytes: Int) -> Int {
            times * timeBytes + times + types * 6 + letters + leaps * (timeBytes + 4) + standard + utc
        }
    }

    private static func header(_ reader: inout Reader) -> (version: UInt8, Counts)? {
        guard let magic = reader.take(4), Array(magic) == Array("TZif".utf8), let version = reader.take(16)?.first
        else {
            return nil
        }
        var numbers: [Int] = []
        for _ in 0..<6 {
            // More would be no zone of this earth.
            guard let number = reader.number(4), (0...100_000).contains(number) else { return nil }
            numbers.append(Int(number))
        }
        let counts = Counts(
            utc: numbers[0], standard: numbers[1], leaps: numbers[2], times: numbers[3], types: numbers[4],
            letters: numbers[5])
        return (version, counts)
    }

    private mutating func read(_ counts: Counts, _ reader: inout Reader) -> Bool {
        for _ in 0..<counts.times {
            guard let time = reader.number(8) else { return false }
            transitions.append(time)
        }
        guard let kinds = reader.take(counts.times) else { return false }
        var types: [Int32] = []
        for _ in 0..<counts.types {
            guard let offset = reader.number(4), reader.skip(2) else { return false }
            types.append(Int32(truncatingIfNeeded: offset))
        }
        for kind in kinds {
            guard Int(kind) < types.count else { return false }
            offsets.append(types[Int(kind)])
        }
        guard let first = types.first else { return false }
        self.first = first
        return reader.skip(counts.letters + counts.leaps * 12 + counts.standard + counts.utc)
    }

    /// Seconds to add to UTC at `seconds` since the epoch.
    func offset(at seconds: Int64) -> Int32 {
        guard let start = transitions.first, seconds >= start else {
            return transitions.isEmpty ? later?.offset(at: seconds) ?? first : first
        }
        if let last = transitions.last, seconds >= last, let later { return later.offset(at: seconds) }
        var (low, high) = (0, transitions.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if transitions[middle] <= seconds { low = middle } else { high = middle }
        }
        return offsets[low]
    }

    /// Numbers of big-endian bytes, one after the other.
    private struct Reader {
        private var bytes: ArraySlice<UInt8>
        init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

        var rest: ArraySlice<UInt8> { bytes }

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard count <= bytes.count else { return nil }
            defer { bytes = bytes.dropFirst(count) }
            return bytes.prefix(count)
        }

        mutating func skip(_ count: Int) -> Bool { take(count) != nil }

        /// Signed, of four or eight bytes.
        mutating func number(_ count: Int) -> Int64? {
            guard let taken = take(count) else { return nil }
            let bits = taken.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return count == 4 ? Int64(Int32(truncatingIfNeeded: bits)) : Int64(bitPattern: bits)
        }
    }
}

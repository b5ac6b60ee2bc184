/// A pattern over series names: the text of a ``SeriesKey`` in which `*` matches any number of characters, including
/// none.
///
/// Matching takes time linear in the length of the name, whatever the pattern: each part between two stars is searched
/// for from where the previous match ended (the leftmost match is never worse than a later one), by the
/// Knuth–Morris–Pratt algorithm.
public struct SeriesSelector: Hashable, Sendable, CustomStringConvertible {
    // Compares the parts, not the description: names are bytes.
    public static func == (a: SeriesSelector, b: SeriesSelector) -> Bool {
        a.first == b.first && a.middle == b.middle && a.last == b.last
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(first)
        hasher.combine(middle)
        hasher.combine(last)
    }

    public let description: String
    private let first: [UInt8]
    private let middle: [SelectorPart]
    /// nil when the pattern has no star, so the whole name must equal ``first``.
    private let last: [UInt8]?
    /// The length of the shortest name that can match, in bytes.
    private let shortest: Int

    /// The maximum length of a pattern, in bytes: it may name any series.
    public static let longest = SeriesKey.longest
    public static let maximumStars = 64

    /// Any text is a selector; one without `*` selects the one series of that name.
    public init(_ pattern: String) {
        description = pattern
        let parts = pattern.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
        first = parts.first ?? []
        // Adjacent stars act as one.
        middle = parts.dropFirst().dropLast().filter { !$0.isEmpty }.map { SelectorPart($0) }
        last = parts.count > 1 ? parts.last : nil
        shortest = parts.reduce(0) { $0 + $1.count }
    }

    /// A pattern from an untrusted source.
    ///
    /// - Throws: ``SeriesSelectorError`` when it is too long or has too many stars.
    public init(parsing pattern: String) throws(SeriesSelectorError) {
        guard pattern.utf8.count <= Self.longest else { throw .tooLong(bytes: pattern.utf8.count) }
        let stars = pattern.utf8.count { $0 == UInt8(ascii: "*") }
        guard stars <= Self.maximumStars else { throw .tooManyStars(stars) }
        self.init(pattern)
    }

    /// Selects every series.
    public static let all = SeriesSelector("*")

    public func matches(_ key: SeriesKey) -> Bool {
        let name = key.description.utf8
        return name.withContiguousStorageIfAvailable { matches($0) }
            ?? Array(name).withUnsafeBufferPointer { matches($0) }
    }

    private func matches(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        guard name.count >= shortest, name.starts(with: first) else { return false }
        guard let last else { return name.count == first.count }
        guard name.suffix(last.count).elementsEqual(last) else { return false }
        var index = first.count
        let end = name.count - last.count
        for part in middle {
            guard let next = part.end(in: name, from: index, to: end) else { return false }
            index = next
        }
        return true
    }
}

/// The literal text between two stars.
private struct SelectorPart: Hashable {
    private let bytes: [UInt8]
    /// The KMP failure function: for each index, the length of the longest proper prefix that is also a suffix ending
    /// there.
    private let borders: [Int]

    init(_ bytes: [UInt8]) {
        var borders = [Int](repeating: 0, count: bytes.count)
        var length = 0
        for index in bytes.indices.dropFirst() {
            while length > 0, bytes[index] != bytes[length] { length = borders[length - 1] }
            if bytes[index] == bytes[length] { length += 1 }
            borders[index] = length
        }
        (self.bytes, self.borders) = (bytes, borders)
    }

    /// The end of the first occurrence of the part between `start` and `end`; nil if there is none.
    func end(in text: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int) -> Int? {
        var (index, length) = (start, 0)
        while index < end {
            while length > 0, text[index] != bytes[length] { length = borders[length - 1] }
            if text[index] == bytes[length] { length += 1 }
            index += 1
            if length == bytes.count { return index }
        }
        return nil
    }
}

/// Why a selector from an untrusted source is refused.
public enum SeriesSelectorError: Error, Equatable, CustomStringConvertible {
    case tooLong(bytes: Int)
    case tooManyStars(Int)

    public var description: String { "expected \(expected)" }

    /// What was expected, without that word.
    public var expected: String {
        switch self {
        case .tooLong(let bytes): "a selector of at most \(SeriesSelector.longest) bytes, not \(bytes)"
        case .tooManyStars(let stars): "at most \(SeriesSelector.maximumStars) stars in a selector, not \(stars)"
        }
    }
}

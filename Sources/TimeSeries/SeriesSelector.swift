/// A pattern over series names: the text of a ``SeriesKey`` in which `*` stands for any characters, also none.
///
/// Matching takes time in the length of the name, whatever the pattern is: each part between two stars is looked for from
/// where the one before it was found (the leftmost place is never worse than a later one), by Knuth, Morris and Pratt.
public struct SeriesSelector: Hashable, Sendable, CustomStringConvertible {
    // Of the parts and not of the description: names are bytes.
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
    /// nil: there is no star, and the name is ``first``.
    private let last: [UInt8]?
    /// A shorter name cannot match.
    private let shortest: Int

    /// A pattern may name any series.
    public static let longest = SeriesKey.longest
    public static let maximumStars = 64

    /// Every text is a selector; one without `*` selects the one series of that name.
    public init(_ pattern: String) {
        description = pattern
        let parts = pattern.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
        first = parts.first ?? []
        // Stars beside each other are one.
        middle = parts.dropFirst().dropLast().filter { !$0.isEmpty }.map { SelectorPart($0) }
        last = parts.count > 1 ? parts.last : nil
        shortest = parts.reduce(0) { $0 + $1.count }
    }

    /// A pattern from outside.
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
        var place = first.count
        let end = name.count - last.count
        for part in middle {
            guard let next = part.end(in: name, from: place, to: end) else { return false }
            place = next
        }
        return true
    }
}

/// What stands between two stars.
private struct SelectorPart: Hashable {
    private let bytes: [UInt8]
    /// For each place, how many bytes before and at it are also the beginning of the part.
    private let borders: [Int]

    init(_ bytes: [UInt8]) {
        var borders = [Int](repeating: 0, count: bytes.count)
        var length = 0
        for place in bytes.indices.dropFirst() {
            while length > 0, bytes[place] != bytes[length] { length = borders[length - 1] }
            if bytes[place] == bytes[length] { length += 1 }
            borders[place] = length
        }
        (self.bytes, self.borders) = (bytes, borders)
    }

    /// Where its first occurrence between two places ends.
    func end(in text: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int) -> Int? {
        var (place, length) = (start, 0)
        while place < end {
            while length > 0, text[place] != bytes[length] { length = borders[length - 1] }
            if text[place] == bytes[length] { length += 1 }
            place += 1
            if length == bytes.count { return place }
        }
        return nil
    }
}

/// A selector that is not taken from outside.
public enum SeriesSelectorError: Error, Equatable, CustomStringConvertible {
    case tooLong(bytes: Int)
    case tooManyStars(Int)

    public var description: String { "expected \(expected)" }

    /// What would be right, without the word.
    public var expected: String {
        switch self {
        case .tooLong(let bytes): "a selector of at most \(SeriesSelector.longest) bytes, not \(bytes)"
        case .tooManyStars(let stars): "at most \(SeriesSelector.maximumStars) stars in a selector, not \(stars)"
        }
    }
}

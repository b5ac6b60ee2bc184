/// A pattern over series names: the text of a ``SeriesKey`` in which `*` stands for any characters, also none.
public struct SeriesSelector: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    private let parts: [[UInt8]]

    /// Every text is a selector; one without `*` selects the one series of that name.
    public init(_ pattern: String) {
        description = pattern
        parts = pattern.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
    }

    /// Selects every series.
    public static let all = SeriesSelector("*")

    public func matches(_ key: SeriesKey) -> Bool {
        guard let first = parts.first, let last = parts.last else { return false }
        // Of many watchers with a series each, all but one are passed over for each event.
        if parts.count == 1 {
            return key.description.utf8.count == first.count && key.description.utf8.elementsEqual(first)
        }
        var rest = Array(key.description.utf8)[...]
        guard rest.starts(with: first) else { return false }
        rest = rest.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() {
            guard let end = Self.end(of: part, in: rest) else { return false }
            rest = rest[end...]
        }
        return rest.count >= last.count && rest.suffix(last.count).elementsEqual(last)
    }

    /// Where the first occurrence of `part` in `text` ends.
    private static func end(of part: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        guard text.count >= part.count else { return nil }
        return (text.startIndex...text.endIndex - part.count)
            .first { text[$0..<$0 + part.count].elementsEqual(part) }
            .map { $0 + part.count }
    }
}

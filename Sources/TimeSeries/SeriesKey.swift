import Glibc

/// The name of a series as line protocol writes it: `measurement,tag=value field`.
///
/// The text is canonical: tags are sorted by key, and special characters are escaped as in line protocol, so equal
/// series have equal text. Each combination of measurement, tag set and field is one series.
///
/// Names are compared as bytes: a letter in composed form and the same letter in decomposed form make two different
/// series, as they do in the database.
public struct SeriesKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The canonical text.
    public let description: String

    /// The maximum length, in bytes, of a name parsed from text.
    public static let longest = 65_536

    /// A key from its parts; tags may be in any order.
    ///
    /// Parts that line protocol can represent survive a round trip through the text: parts that are not empty, do not
    /// end in a backslash and contain no control characters.
    public init(measurement: String, tags: [(key: String, value: String)] = [], field: String) {
        var text: [UInt8] = []
        Self.append(measurement, escaping: Self.measurementSpecials, to: &text)
        for tag in tags.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            text.append(Self.comma)
            Self.append(tag.key, escaping: Self.keySpecials, to: &text)
            text.append(Self.equals)
            Self.append(tag.value, escaping: Self.keySpecials, to: &text)
        }
        text.append(Self.space)
        Self.append(field, escaping: Self.keySpecials, to: &text)
        description = String(decoding: text, as: UTF8.self)
    }

    /// A key from text that is already canonical, as the database and the line protocol decoder provide it.
    public init(canonical text: String) { description = text }

    /// A key parsed from text that a person wrote, in the grammar of line protocol.
    ///
    /// - Throws: ``SeriesKeyError`` when a part is missing, empty, duplicated or not valid line protocol.
    public init(parsing text: String) throws(SeriesKeyError) {
        func refuse(_ expected: String) -> SeriesKeyError { SeriesKeyError(text: text, reason: expected) }
        guard text.utf8.count <= Self.longest else {
            throw SeriesKeyError(text: "a long text", reason: "at most \(Self.longest) bytes")
        }
        let bytes = Array(text.utf8)
        if let control = text.unicodeScalars.first(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            throw refuse("no control characters, not \(control.codePoint)")
        }
        let halves = Self.split(bytes[...], at: Self.space)
        guard halves.count == 2, let field = halves.last, !field.isEmpty else {
            throw refuse("one unescaped space between the measurement and the field")
        }
        guard field.last != Self.backslash, Self.split(field, at: Self.comma).count == 1,
            Self.split(field, at: Self.equals).count == 1
        else { throw refuse("a field with \\ before each comma and equals sign and not at its end") }
        let parts = Self.split(halves[0], at: Self.comma)
        guard let measurement = parts.first, let first = measurement.first, first != UInt8(ascii: "#") else {
            throw refuse("a measurement before the first comma or space, without # at its beginning")
        }
        var tags: [(key: String, value: String)] = []
        // Bytes, because `String` treats canonically equivalent characters as equal.
        var keys: Set<[UInt8]> = []
        for part in parts.dropFirst() {
            let pair = Self.split(part, at: Self.equals)
            guard pair.count == 2, !pair[0].isEmpty, !pair[1].isEmpty else {
                throw refuse("tags of the form key=value, not \"\(String(decoding: part, as: UTF8.self))\"")
            }
            let tag = (Self.unescaped(pair[0], Self.keySpecials), Self.unescaped(pair[1], Self.keySpecials))
            guard keys.insert(Array(tag.0.utf8)).inserted else {
                throw refuse("each tag once, and \"\(tag.0)\" is there twice")
            }
            tags.append(tag)
        }
        self.init(
            measurement: Self.unescaped(measurement, Self.measurementSpecials), tags: tags,
            field: Self.unescaped(field, Self.keySpecials))
    }

    // Swift compares strings by canonical equivalence, not by their bytes.
    public static func == (a: SeriesKey, b: SeriesKey) -> Bool { a.order(to: b) == 0 }
    public static func < (a: SeriesKey, b: SeriesKey) -> Bool { a.order(to: b) < 0 }

    public func hash(into hasher: inout Hasher) {
        withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// Negative, zero or positive, like memcmp.
    private func order(to other: SeriesKey) -> Int {
        withBytes { mine in
            other.withBytes { others in
                let longer = mine.count - others.count
                guard let here = mine.baseAddress, let there = others.baseAddress else { return longer }
                let order = memcmp(here, there, min(mine.count, others.count))
                return order == 0 ? longer : Int(order)
            }
        }
    }

    private func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        // Every native string is contiguous.
        description.utf8.withContiguousStorageIfAvailable(body) ?? Array(description.utf8).withUnsafeBufferPointer(body)
    }

    private static let comma = UInt8(ascii: ",")
    private static let space = UInt8(ascii: " ")
    private static let equals = UInt8(ascii: "=")
    private static let backslash = UInt8(ascii: "\\")
    private static let measurementSpecials = [comma, space]
    private static let keySpecials = [comma, space, equals]

    // Bytes, not characters: a space and a combining accent after it form one character.
    private static func append(_ text: String, escaping specials: [UInt8], to out: inout [UInt8]) {
        for byte in text.utf8 {
            if specials.contains(byte) { out.append(backslash) }
            out.append(byte)
        }
    }

    /// A backslash is an escape only before a special character; elsewhere, even before another backslash, it is
    /// literal.
    private static func unescaped(_ text: ArraySlice<UInt8>, _ specials: [UInt8]) -> String {
        var out: [UInt8] = []
        for byte in text {
            if specials.contains(byte), out.last == backslash { out.removeLast() }
            out.append(byte)
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// `text` split at every unescaped `separator`, escapes kept.
    private static func split(_ text: ArraySlice<UInt8>, at separator: UInt8) -> [ArraySlice<UInt8>] {
        var parts: [ArraySlice<UInt8>] = []
        var start = text.startIndex
        for index in text.indices where text[index] == separator {
            if index > text.startIndex, text[index - 1] == backslash { continue }
            parts.append(text[start..<index])
            start = index + 1
        }
        return parts + [text[start...]]
    }
}

/// Text that does not name a series.
public struct SeriesKeyError: Error, Equatable, CustomStringConvertible {
    public let text: String
    public let reason: String
    public var description: String {
        "\"\(text)\" does not name a series: expected \(reason), as in \"room,id=1 t\""
    }
}

extension SeriesKey {
    /// The name for a message, cut to 200 bytes: a refused name may have any length.
    package var shortText: String {
        let name = description.utf8
        return name.count <= 200 ? description : String(decoding: name.prefix(200), as: UTF8.self) + "…"
    }
}

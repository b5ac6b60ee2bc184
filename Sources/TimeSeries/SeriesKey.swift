/// The name of a series as line protocol writes it: `measurement,tag=value field`.
///
/// The text is canonical: tags ascend by key, and special characters are escaped as line protocol escapes them, so equal
/// series have equal text. One field of one tag set of one measurement is one series.
public struct SeriesKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The canonical text.
    public let description: String

    /// A key from its parts. Tags may come in any order.
    public init(measurement: String, tags: [(key: String, value: String)] = [], field: String) {
        var text = Self.escaped(measurement, Self.measurementSpecials)
        for tag in tags.sorted(by: { $0.key < $1.key }) {
            text += ",\(Self.escaped(tag.key, Self.keySpecials))=\(Self.escaped(tag.value, Self.keySpecials))"
        }
        description = text + " " + Self.escaped(field, Self.keySpecials)
    }

    /// A key from text that is canonical already, as the database and the line protocol decoder hold it.
    public init(canonical text: String) { description = text }

    /// A key from text that a person wrote.
    ///
    /// - Throws: ``SeriesKeyError`` when a part is missing or empty.
    public init(parsing text: String) throws(SeriesKeyError) {
        let halves = Self.split(text, at: " ")
        guard halves.count == 2, !halves[1].isEmpty else {
            throw SeriesKeyError(text: text, reason: "one unescaped space between the measurement and the field")
        }
        let parts = Self.split(halves[0], at: ",")
        guard let measurement = parts.first, !measurement.isEmpty else {
            throw SeriesKeyError(text: text, reason: "a measurement before the first comma or space")
        }
        var tags: [(key: String, value: String)] = []
        for part in parts.dropFirst() {
            let pair = Self.split(part, at: "=")
            guard pair.count == 2, !pair[0].isEmpty, !pair[1].isEmpty else {
                throw SeriesKeyError(text: text, reason: "tags of the form key=value, not \"\(part)\"")
            }
            tags.append((Self.unescaped(pair[0]), Self.unescaped(pair[1])))
        }
        self.init(measurement: Self.unescaped(measurement), tags: tags, field: Self.unescaped(halves[1]))
    }

    public static func < (a: SeriesKey, b: SeriesKey) -> Bool { a.description < b.description }

    private static let measurementSpecials: Set<Character> = [",", " "]
    private static let keySpecials: Set<Character> = [",", " ", "="]

    private static func escaped(_ text: String, _ specials: Set<Character>) -> String {
        guard text.contains(where: specials.contains) else { return text }
        return text.reduce(into: "") { out, character in
            if specials.contains(character) { out.append("\\") }
            out.append(character)
        }
    }

    private static func unescaped(_ text: String) -> String {
        guard text.contains("\\") else { return text }
        var out = ""
        var pending = false
        for character in text {
            if pending {
                if !keySpecials.contains(character) { out.append("\\") }
                out.append(character)
                pending = false
            } else if character == "\\" {
                pending = true
            } else {
                out.append(character)
            }
        }
        return pending ? out + "\\" : out
    }

    /// `text` cut at every unescaped `separator`, escapes kept.
    private static func split(_ text: String, at separator: Character) -> [String] {
        var parts = [""]
        var escaped = false
        for character in text {
            if character == separator, !escaped {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
            escaped = character == "\\" && !escaped
        }
        return parts
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

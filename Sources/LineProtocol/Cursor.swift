/// A place in a text of bytes that knows its line and column.
struct Cursor {
    let bytes: [UInt8]
    private(set) var place = 0
    private(set) var line: Int
    private var lineStart = 0

    init(_ bytes: [UInt8], firstLine: Int) {
        self.bytes = bytes
        line = firstLine
    }

    var isAtEnd: Bool { place >= bytes.count }
    /// The byte here; nil at the end.
    var current: UInt8? { place < bytes.count ? bytes[place] : nil }
    var next: UInt8? { place + 1 < bytes.count ? bytes[place + 1] : nil }
    var column: Int { place - lineStart + 1 }

    mutating func advance() {
        if current == Byte.newline {
            line += 1
            lineStart = place + 1
        }
        place += 1
    }

    mutating func skip(while condition: (UInt8) -> Bool) {
        while let byte = current, condition(byte) { advance() }
    }

    /// To the beginning of the next line.
    mutating func skipLine() {
        skip { $0 != Byte.newline }
        advance()
    }

    func problem(_ reason: String) -> LineProblem { LineProblem(line: line, column: column, reason: reason) }

    func text(from start: Int) -> ArraySlice<UInt8> { bytes[start..<place] }
}

enum Byte {
    static let newline = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let comma = UInt8(ascii: ",")
    static let equals = UInt8(ascii: "=")
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let hash = UInt8(ascii: "#")
    static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}

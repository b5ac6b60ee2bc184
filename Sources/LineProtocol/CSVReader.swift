/// The records of a CSV text (RFC 4180).
///
/// A field that begins with a quote goes on to the closing quote: commas, line ends and doubled quotes belong to it. A quote
/// elsewhere is a character like any other. Empty lines are skipped, as are a byte order mark before the first line and
/// spaces at the end of a record.
package struct CSVReader {
    package struct Field: Equatable {
        package var text: String
        /// Of its first byte, in bytes from 1, in the line it begins in.
        package var column: Int
    }

    package struct Record: Equatable {
        /// At least one.
        package var fields: [Field]
        /// The line it begins in.
        package var line: Int
    }

    /// A quote that no other one closes; the reader goes on with the next line.
    package struct UnclosedQuote: Error, Equatable {
        package var line: Int
        package var column: Int
    }

    private let bytes: [UInt8]
    private var offset = 0
    private var line: Int

    /// - Parameter firstLine: the number of the first line; a byte order mark is skipped before line 1 only.
    package init(_ bytes: [UInt8], firstLine: Int = 1) {
        self.bytes = bytes
        line = firstLine
        if firstLine == 1, bytes.starts(with: Byte.byteOrderMark) { offset = Byte.byteOrderMark.count }
    }

    /// The next record; nil at the end.
    package mutating func next() -> Result<Record, UnclosedQuote>? {
        while offset < bytes.count {
            let (start, first) = (offset, line)
            do throws(UnclosedQuote) {
                let fields = try record(from: start)
                if fields.count == 1, fields[0].text.isEmpty, bytes[start] != Byte.quote { continue }
                return .success(Record(fields: fields, line: first))
            } catch {
                offset = (bytes[start...].firstIndex(of: Byte.newline) ?? bytes.count - 1) + 1
                line = first + 1
                return .failure(error)
            }
        }
        return nil
    }

    private mutating func record(from start: Int) throws(UnclosedQuote) -> [Field] {
        var fields: [Field] = []
        var lineStart = start
        while true {
            let column = offset - lineStart + 1
            if offset < bytes.count, bytes[offset] == Byte.quote {
                fields.append(Field(text: try quoted(column, &lineStart), column: column))
            } else {
                let end = bytes[offset...].firstIndex { $0 == Byte.comma || $0 == Byte.newline } ?? bytes.count
                fields.append(Field(text: plain(offset..<end), column: column))
                offset = end
            }
            guard offset < bytes.count, bytes[offset] == Byte.comma else { break }
            offset += 1
        }
        if offset < bytes.count {
            offset += 1
            line += 1
        }
        return fields
    }

    /// The text of an unquoted field, without spaces and a carriage return at the end of its record.
    private func plain(_ range: Range<Int>) -> String {
        var field = bytes[range]
        if range.upperBound == bytes.count || bytes[range.upperBound] == Byte.newline {
            while field.last == Byte.carriageReturn || field.last == Byte.space { field.removeLast() }
        }
        return String(decoding: field, as: UTF8.self)
    }

    /// Reads a quoted field, and what stands between its closing quote and the next comma or line end.
    private mutating func quoted(_ column: Int, _ lineStart: inout Int) throws(UnclosedQuote) -> String {
        let first = line
        var text: [UInt8] = []
        offset += 1
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if byte == Byte.quote {
                guard offset < bytes.count, bytes[offset] == Byte.quote else {
                    let end = bytes[offset...].firstIndex { $0 == Byte.comma || $0 == Byte.newline } ?? bytes.count
                    let rest = plain(offset..<end)
                    offset = end
                    return String(decoding: text, as: UTF8.self) + rest
                }
                offset += 1
            } else if byte == Byte.newline {
                line += 1
                lineStart = offset
            }
            text.append(byte)
        }
        line = first
        throw UnclosedQuote(line: first, column: column)
    }
}

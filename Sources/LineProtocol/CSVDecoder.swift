public import TimeSeries

/// Decodes `series,timestamp,value`, one reading per line, as `niloctl export` writes it.
///
/// The series is quoted when it contains a comma or a quote, and a quote in it is doubled (RFC 4180). The timestamp is
/// an integer in the given precision, or RFC 3339. Any line that begins with `series,timestamp,value` is skipped as a
/// header, and so is an empty line.
public struct CSVDecoder {
    private let lines: [ArraySlice<UInt8>]
    private let precision: Precision
    private let firstLine: Int
    private var nextIndex = 0
    /// The line number of the most recent reading.
    var lineOfLast: Int { firstLine + nextIndex - 1 }

    public init(_ text: String, precision: Precision = .nanoseconds, firstLine: Int = 1) {
        lines = Array(text.utf8).split(separator: Byte.newline, omittingEmptySubsequences: false)
        self.precision = precision
        self.firstLine = firstLine
    }

    /// The next reading or problem; nil at the end.
    public mutating func next() -> Result<IncomingReading, LineProblem>? {
        while nextIndex < lines.count {
            let number = firstLine + nextIndex
            var line = lines[nextIndex]
            if number == 1, line.starts(with: Byte.byteOrderMark) { line = line.dropFirst(Byte.byteOrderMark.count) }
            while line.last == Byte.carriageReturn || line.last == Byte.space { line.removeLast() }
            nextIndex += 1
            if line.isEmpty || line.starts(with: Array("series,timestamp,value".utf8)) { continue }
            return Result { () throws(LineProblem) in try reading(line, number) }
        }
        return nil
    }

    private struct Column {
        var bytes: [UInt8] = []
        /// The column of its first byte, in bytes from 1.
        var start: Int
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    private func reading(_ line: ArraySlice<UInt8>, _ number: Int) throws(LineProblem) -> IncomingReading {
        let columns = Self.columns(line)
        func problem(_ column: Int, _ reason: String) -> LineProblem {
            LineProblem(line: number, column: columns[column].start, reason: reason)
        }
        guard columns.count == 3 else { throw problem(0, "expected three columns: series,timestamp,value") }
        let key: SeriesKey
        do { key = try SeriesKey(parsing: columns[0].text) } catch { throw problem(0, "\(error)") }
        guard let timestamp = timestamp(columns[1].text) else {
            throw problem(1, "expected a timestamp in \(precision.rawValue) or as 2026-01-31T12:00:00Z")
        }
        guard let value = Double(columns[2].text) else { throw problem(2, "expected a number") }
        return IncomingReading(key: key, timestamp: timestamp, value: value)
    }

    private func timestamp(_ text: String) -> Timestamp? {
        if let count = Int64(text) {
            let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: precision.factor)
            return overflow ? nil : Timestamp(nanoseconds: nanoseconds)
        }
        return Timestamp(rfc3339: text)
    }

    /// The columns of a line, at least one.
    private static func columns(_ line: ArraySlice<UInt8>) -> [Column] {
        var columns: [Column] = []
        var column = Column(start: 1)
        var isQuoted = false
        for index in line.indices {
            let byte = line[index]
            if byte == Byte.quote {
                // A quote directly after a closing quote is a literal quote.
                if !isQuoted, index > line.startIndex, line[index - 1] == Byte.quote { column.bytes.append(byte) }
                isQuoted.toggle()
            } else if byte == Byte.comma, !isQuoted {
                columns.append(column)
                column = Column(start: index - line.startIndex + 2)
            } else {
                column.bytes.append(byte)
            }
        }
        return columns + [column]
    }
}

public import TimeSeries

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Decodes `series,timestamp,value`, one reading a line, as `niloctl export` writes it.
///
/// The series is quoted when it holds a comma (RFC 4180); the timestamp is a whole number in the given precision or RFC
/// 3339. A first line `series,timestamp,value` is passed over.
public struct CSVDecoder {
    private let lines: [Substring]
    private let precision: Precision
    private let firstLine: Int
    private var place = 0
    /// The line of the newest reading.
    var lineOfLast: Int { firstLine + place - 1 }

    public init(_ text: String, precision: Precision = .nanoseconds, firstLine: Int = 1) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        self.precision = precision
        self.firstLine = firstLine
    }

    /// The next reading or problem; nil at the end.
    public mutating func next() -> Result<IncomingReading, LineProblem>? {
        while place < lines.count {
            let number = firstLine + place
            let line = lines[place].trimmingSuffix(while: { $0 == "\r" || $0 == " " })
            place += 1
            if line.isEmpty || line.hasPrefix("series,timestamp,value") { continue }
            return Result { () throws(LineProblem) in try reading(line, number) }
        }
        return nil
    }

    private func reading(_ line: Substring, _ number: Int) throws(LineProblem) -> IncomingReading {
        let columns = Self.columns(line)
        func problem(_ column: Int, _ reason: String) -> LineProblem {
            let offset = columns.prefix(column).reduce(1) { $0 + $1.width + 1 }
            return LineProblem(line: number, column: offset, reason: reason)
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
        guard let date = try? Date(text, strategy: .iso8601) else { return nil }
        return Timestamp.from(seconds: Int64(date.timeIntervalSince1970.rounded(.down)))
    }

    private static func columns(_ line: Substring) -> [(text: String, width: Int)] {
        var columns = [(text: "", width: 0)]
        var isQuoted = false
        for character in line {
            if character == "\"" {
                isQuoted.toggle()
            } else if character == ",", !isQuoted {
                columns.append(("", 0))
                continue
            } else {
                columns[columns.count - 1].text.append(character)
            }
            columns[columns.count - 1].width += character.utf8.count
        }
        return columns
    }
}

extension Substring {
    fileprivate func trimmingSuffix(while condition: (Character) -> Bool) -> Substring {
        var rest = self
        while let last = rest.last, condition(last) { rest.removeLast() }
        return rest
    }
}

public import TimeSeries

/// Decodes `series,timestamp,value`, one reading per record, as `niloctl export` writes it.
///
/// Records are those of RFC 4180. The timestamp is an integer in the given precision, or RFC 3339. A record
/// `series,timestamp,value` is skipped as a header, and so is an empty line.
public struct CSVDecoder {
    private var reader: CSVReader
    private let precision: Precision
    /// The line number of the most recent reading.
    private(set) var lineOfLast = 0

    private static let header = ["series", "timestamp", "value"]

    /// - Parameters:
    ///   - text: whole records.
    ///   - precision: the unit of integer timestamps.
    ///   - firstLine: the number of the first line, for problem reports.
    public init(_ text: String, precision: Precision = .nanoseconds, firstLine: Int = 1) {
        reader = CSVReader(Array(text.utf8), firstLine: firstLine)
        self.precision = precision
    }

    /// The next reading or problem; nil at the end.
    public mutating func next() -> Result<IncomingReading, LineProblem>? {
        while let result = reader.next() {
            switch result {
            case .failure(let quote):
                return .failure(
                    LineProblem(line: quote.line, column: quote.column, reason: "expected a quote that closes this one")
                )
            case .success(let record):
                if record.fields.map(\.text) == Self.header { continue }
                lineOfLast = record.line
                return Result { () throws(LineProblem) in try reading(record) }
            }
        }
        return nil
    }

    private func reading(_ record: CSVReader.Record) throws(LineProblem) -> IncomingReading {
        let fields = record.fields
        func problem(_ index: Int, _ reason: String) -> LineProblem {
            LineProblem(line: record.line, column: fields[index].column, reason: reason)
        }
        guard fields.count == 3 else { throw problem(0, "expected three columns: series,timestamp,value") }
        let key: SeriesKey
        do { key = try SeriesKey(parsing: fields[0].text) } catch { throw problem(0, "\(error)") }
        guard let timestamp = timestamp(fields[1].text) else {
            throw problem(1, "expected a timestamp in \(precision.rawValue) or as 2026-01-31T12:00:00Z")
        }
        guard let value = Double(fields[2].text) else { throw problem(2, "expected a number") }
        return IncomingReading(key: key, timestamp: timestamp, value: value)
    }

    private func timestamp(_ text: String) -> Timestamp? {
        if let count = Int64(text) {
            let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: precision.factor)
            return overflow ? nil : Timestamp(nanoseconds: nanoseconds)
        }
        return Timestamp(rfc3339: text)
    }
}

import LineProtocol
import TimeSeries

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A file of readings, ascending in time within each series.
///
/// Written by `niloctl export` or by other programs: CSV with a header that has the columns `timestamp`, `value` and
/// optionally `series`; line protocol; or JSON, `{"series":…,"timestamp":…,"value":…}` on each line. A time is an
/// integer of nanoseconds since 1970 or RFC 3339; in CSV and JSON the zone may be omitted and is then UTC. An empty or
/// null value is missing.
public enum DataFile {
    public enum Format: String, Sendable, CaseIterable {
        case csv, line, json
    }

    /// - Parameters:
    ///   - format: nil: detected from the beginning of the file.
    ///   - name: the name of the series if the file does not name its series.
    /// - Throws: ``BacktestError/badRow(line:reason:)``.
    public static func parse(
        _ bytes: [UInt8], format: Format? = nil, name: String
    ) throws(BacktestError) -> [DataSeries] {
        var rows = DataRows()
        switch format ?? likelyFormat(of: bytes) {
        case .csv: try readCSV(bytes, name, into: &rows)
        case .line: try readLines(bytes, into: &rows)
        case .json: try readJSON(bytes, name, into: &rows)
        }
        return rows.series
    }

    private static func likelyFormat(of bytes: [UInt8]) -> Format {
        guard bytes.first(where: { $0 > 0x20 }) != UInt8(ascii: "{") else { return .json }
        var reader = CSVReader(bytes)
        guard case .success(let header)? = reader.next() else { return .csv }
        let isTable = header.fields.contains { $0.text == "timestamp" || $0.text == "value" }
        // Line protocol is recognized by its first line; for any other file, the error asks for a CSV header.
        let first = bytes.prefix { $0 != UInt8(ascii: "\n") }
        return !isTable && DecodedBatch(lineProtocol: Array(first)).readings.count > 0 ? .line : .csv
    }

    private static func readCSV(_ bytes: [UInt8], _ name: String, into rows: inout DataRows) throws(BacktestError) {
        var reader = CSVReader(bytes)
        var header: [String]?
        var (time, value, series): (Int, Int, Int?) = (0, 0, nil)
        while let result = reader.next() {
            let record: CSVReader.Record
            switch result {
            case .success(let whole): record = whole
            case .failure(let quote):
                throw .badRow(
                    line: quote.line, reason: "expected a quote that closes the one in column \(quote.column)")
            }
            let fields = record.fields.map(\.text)
            guard let columns = header?.count else {
                guard let first = fields.firstIndex(of: "timestamp"), let second = fields.firstIndex(of: "value") else {
                    throw .badRow(
                        line: record.line,
                        reason: "expected a header with the columns timestamp and value, found \(fields)")
                }
                (header, time, value, series) = (fields, first, second, fields.firstIndex(of: "series"))
                continue
            }
            guard fields.count == columns else {
                throw .badRow(line: record.line, reason: "expected \(columns) columns, found \(fields.count)")
            }
            guard let number = fields[value].isEmpty ? .nan : Double(fields[value]) else {
                throw .badRow(line: record.line, reason: "expected a number or nothing, found \"\(fields[value])\"")
            }
            try rows.append(
                series.map { fields[$0] } ?? name, try timestamp(fields[time], line: record.line), number,
                line: record.line)
        }
        guard header != nil else {
            throw .badRow(line: 1, reason: "expected a header with the columns timestamp and value, found nothing")
        }
    }

    private static func readLines(_ bytes: [UInt8], into rows: inout DataRows) throws(BacktestError) {
        let batch = DecodedBatch(lineProtocol: bytes)
        if let problem = batch.problems.first { throw .badRow(line: problem.line, reason: problem.reason) }
        for (reading, line) in zip(batch.readings, batch.lines) {
            guard let time = reading.timestamp else {
                throw .badRow(line: line, reason: "expected a timestamp after the fields")
            }
            try rows.append(reading.key.description, time, reading.value, line: line)
        }
    }

    /// A line of JSON.
    private struct Row: Decodable {
        enum Time: Decodable {
            case nanoseconds(Int64)
            case text(String)

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                self =
                    if let number = try? container.decode(Int64.self) { .nanoseconds(number) } else {
                        .text(try container.decode(String.self))
                    }
            }
        }

        var series: String?
        var timestamp: Time
        var value: Double?
    }

    private static func readJSON(_ bytes: [UInt8], _ name: String, into rows: inout DataRows) throws(BacktestError) {
        let decoder = JSONDecoder()
        for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        where line.contains(where: { $0 > 0x20 }) {
            guard let row = try? decoder.decode(Row.self, from: Data(line)) else {
                throw .badRow(
                    line: index + 1,
                    reason: #"expected {"series":"room t","timestamp":1700000000000000000,"value":1.5} or the like"#)
            }
            let time: Timestamp =
                switch row.timestamp {
                case .nanoseconds(let number): Timestamp(nanoseconds: number)
                case .text(let text): try timestamp(text, line: index + 1)
                }
            try rows.append(row.series ?? name, time, row.value ?? .nan, line: index + 1)
        }
    }

    private static func timestamp(_ text: String, line: Int) throws(BacktestError) -> Timestamp {
        if let nanoseconds = Int64(text) { return Timestamp(nanoseconds: nanoseconds) }
        guard let time = Timestamp(rfc3339: text, isAbbreviated: true) else {
            throw .badRow(
                line: line, reason: "expected a time such as 2026-01-31T13:00:00Z or nanoseconds, found \"\(text)\"")
        }
        return time
    }
}

/// The series of a file, in the order of their first rows.
private struct DataRows {
    private(set) var series: [DataSeries] = []
    private var indices: [String: Int] = [:]

    mutating func append(
        _ name: String, _ time: Timestamp, _ value: Double, line: Int
    ) throws(BacktestError) {
        let index = indices[name] ?? series.count
        if index == series.count {
            indices[name] = index
            series.append(DataSeries(name: name))
        }
        if let last = series[index].timestamps.last, time <= last {
            throw .badRow(line: line, reason: "the rows of \(name) must ascend in time")
        }
        series[index].timestamps.append(time)
        series[index].values.append(value.isFinite ? value : .nan)
    }
}

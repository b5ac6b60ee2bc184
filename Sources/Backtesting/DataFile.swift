public import TimeSeries

/// One series of a data file: rows in the file's order.
public struct DataSeries: Sendable {
    public var name: String
    public var timestamps: [Timestamp]
    /// NaN where the file has no value.
    public var values: [Double]

    public var count: Int { values.count }

    public init(name: String, timestamps: [Timestamp], values: [Double]) {
        self.name = name
        self.timestamps = timestamps
        self.values = values
    }
}

/// A CSV file of series: a header with `timestamp`, `value` and perhaps `series`, then a row per reading, ascending in
/// time within each series. An empty value is a missing one.
public enum DataFile {
    /// - Parameter name: of the series of a file without a column `series`.
    /// - Throws: ``BacktestError/badRow(line:reason:)``.
    public static func parse(_ text: String, name: String) throws(BacktestError) -> [DataSeries] {
        // Some programs begin a file with a byte order mark.
        let text = text.unicodeScalars.first == "\u{FEFF}" ? Substring(text.unicodeScalars.dropFirst()) : text[...]
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        let header = lines.popFirst().map { columns(of: $0).map(String.init) } ?? []
        guard let time = header.firstIndex(of: "timestamp"), let value = header.firstIndex(of: "value") else {
            throw .badRow(line: 1, reason: "expected a header with the columns timestamp and value, found \(header)")
        }
        let series = header.firstIndex(of: "series")
        var (found, places): ([DataSeries], [String: Int]) = ([], [:])
        for (offset, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
            let row = columns(of: line)
            guard row.count == header.count else {
                throw .badRow(line: offset + 2, reason: "expected \(header.count) columns, found \(row.count)")
            }
            let key = series.map { String(row[$0]) } ?? name
            let place = places[key] ?? found.count
            if place == found.count {
                places[key] = place
                found.append(DataSeries(name: key, timestamps: [], values: []))
            }
            try append(time: row[time], value: row[value], line: offset + 2, to: &found[place])
        }
        return found
    }

    private static func append(
        time: Substring, value: Substring, line: Int, to series: inout DataSeries
    ) throws(BacktestError) {
        guard let timestamp = Timestamp(plain: time) else {
            throw .badRow(line: line, reason: "expected a time such as 2026-01-31T13:00:00, found \"\(time)\"")
        }
        if let last = series.timestamps.last, timestamp <= last {
            throw .badRow(line: line, reason: "the rows of \(series.name) must ascend in time")
        }
        guard let number = value.isEmpty ? .nan : Double(value) else {
            throw .badRow(line: line, reason: "expected a number or nothing, found \"\(value)\"")
        }
        series.timestamps.append(timestamp)
        series.values.append(number.isFinite ? number : .nan)
    }

    private static func columns(of line: Substring) -> [Substring] {
        line.split(separator: ",", omittingEmptySubsequences: false).map { column in
            column.hasSuffix("\r") ? column.dropLast() : column
        }
    }
}

extension Timestamp {
    /// `2026-01-31`, `2026-01-31 13:00`, `2026-01-31T13:00:00`, with or without a fraction and a `Z`; taken as UTC. nil for
    /// anything else.
    init?(plain text: some StringProtocol) {
        let separators: Set<Character> = ["-", ":", "T", " ", "Z"]
        let parts = text.split { separators.contains($0) }
        guard (3...6).contains(parts.count), let year = Int64(parts[0]), let month = Int64(parts[1]),
            let day = Int64(parts[2]), (1...9_999).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        var clock: [Double] = []
        for part in parts.dropFirst(3) {
            guard let number = Double(part), (0..<61).contains(number) else { return nil }
            clock.append(number)
        }
        guard clock.isEmpty || clock[0] < 24 else { return nil }
        clock += [Double](repeating: 0, count: 3 - clock.count)
        let seconds = CivilDay.days(year, month, day) * 86_400 + Int64(clock[0]) * 3_600 + Int64(clock[1]) * 60
        self = Timestamp.from(seconds: seconds).advanced(byNanoseconds: Int64((clock[2] * 1e9).rounded()))
    }
}

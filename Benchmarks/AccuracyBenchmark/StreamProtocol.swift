import Forecasting
import Foundation
import TimeSeries

/// What `protocol.json` says of one dataset, and where its series lie.
struct Dataset: Decodable {
    var file: String
    var horizon: Int
    var freq: String
    var warm: Int
    var end: Int
    var stride: Int

    enum CodingKeys: String, CodingKey {
        case file, freq, warm, end, stride
        case horizon = "H"
    }

    var cadenceSeconds: Int64 { freq == "h" ? 3_600 : (Int64(freq.filter(\.isNumber)) ?? 1) * 60 }
}

struct StreamProtocol: Decodable {
    var quantiles: [Double]
    var datasets: [String: [String: Dataset]]

    init(contentsOf url: URL) throws {
        self = try JSONDecoder().decode(StreamProtocol.self, from: Data(contentsOf: url))
    }
}

/// One series of a dataset with the rows that count: training before `warm`, forecasts up to `end`.
struct Course {
    var name: String
    var series: Panel.Series
    var warm: Int
    var end: Int

    /// The panel column that training may see.
    var prefix: Panel.Series {
        var cut = series
        cut.values = Array(series.values.prefix(warm))
        cut.utcOffsets = Array(series.utcOffsets.prefix(warm))
        return cut
    }

    /// Reads `series,timestamp,value` or `timestamp,value`; an empty value is missing.
    static func read(_ url: URL, _ dataset: Dataset, name: String, firstID: Int64) throws -> [Course] {
        let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
        let hasNames = lines.first?.hasPrefix("series") ?? false
        var names: [Substring] = []
        var values: [Substring: [Float]] = [:]
        var starts: [Substring: Int64] = [:]
        for line in lines.dropFirst() {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard let last = fields.last, fields.count >= 2 else { continue }
            let key = hasNames ? fields[0] : Substring(name)
            if values[key] == nil {
                names.append(key)
                starts[key] = seconds(fields[fields.count - 2])
            }
            values[key, default: []].append(Float(last.trimmingCharacters(in: .whitespaces)) ?? .nan)
        }
        return names.enumerated().compactMap { place, key in
            guard let values = values[key], let start = starts[key],
                let cadence = Cadence(nanoseconds: dataset.cadenceSeconds * 1_000_000_000)
            else { return nil }
            let end = dataset.end <= 0 ? values.count + dataset.end : min(dataset.end, values.count)
            let warm = dataset.warm < 0 ? values.count + dataset.warm : dataset.warm
            let series = Panel.Series(
                id: SeriesID(firstID + Int64(place)), key: String(key), cadence: cadence,
                start: start / dataset.cadenceSeconds, values: values,
                utcOffsets: [Int32](repeating: 0, count: values.count))
            return Course(name: String(key), series: series, warm: warm, end: end)
        }
    }

    /// Seconds since 1970 of `2015-07-01T12:00:00` or `2015-07-01 12:00:00`.
    private static func seconds(_ text: Substring) -> Int64 {
        let parts = text.split { !$0.isNumber }.compactMap { Int64($0) }
        guard parts.count >= 5 else { return 0 }
        // Days from the civil calendar: H. Hinnant, "chrono-compatible low-level date algorithms".
        let year = parts[0] - (parts[1] <= 2 ? 1 : 0)
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (parts[1] + (parts[1] > 2 ? -3 : 9)) + 2) / 5 + parts[2] - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        return days * 86_400 + parts[3] * 3_600 + parts[4] * 60 + (parts.count > 5 ? parts[5] : 0)
    }
}

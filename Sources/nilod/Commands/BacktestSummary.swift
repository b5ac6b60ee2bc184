import Backtesting
import Glibc

/// The table that a backtest ends with.
enum BacktestSummary {
    /// - Parameter training: how the training before the first forecast ended.
    static func text(_ results: [(String, Scorecard.Result)], training: String?, seconds: Double) -> String {
        let experts = experts(results.map(\.1))
        let header = ["SERIES", "MASE", "sQL", "relMASE", "relsQL", "INNER", "OUTER"] + experts
        let rows = results.map { name, result in [name] + numbers(result, experts).map { $0.map { fixed($0) } ?? "-" } }
        let means = mean(results.map { numbers($1, experts) }).map { $0.map { fixed($0) } ?? "-" }
        let lines = [header] + rows + [["ALL"] + means]
        let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        let table = lines.map { line in
            line.enumerated().map { column, text in
                let padding = String(repeating: " ", count: widths[column] - text.count)
                return column == 0 ? text + padding : padding + text
            }.joined(separator: "  ")
        }
        let closing = [
            experts.isEmpty ? nil : "\(experts.joined(separator: ", ")): relsQL of each expert alone, not calibrated",
            training.map { "training: \($0)" }, "\(fixed(seconds, 1)) seconds",
        ]
        return (table + closing.compactMap { $0 }).joined(separator: "\n")
    }

    /// The names of all experts; none where nothing is mixed.
    private static func experts(_ results: [Scorecard.Result]) -> [String] {
        var names: [String] = []
        for result in results where result.experts.count > 1 {
            for expert in result.experts where !names.contains(expert.name) { names.append(expert.name) }
        }
        return names
    }

    /// nil for an expert that the series did not have.
    private static func numbers(_ result: Scorecard.Result, _ experts: [String]) -> [Double?] {
        [result.mase, result.sql, result.relativeMASE, result.relativeSQL, result.inner, result.outer]
            + experts.map { name in result.experts.first { $0.name == name }?.relativeSQL }
    }

    /// Means over series; of ratios the geometric mean.
    private static func mean(_ rows: [[Double?]]) -> [Double?] {
        (rows.first ?? []).indices.map { column in
            let values = rows.compactMap { $0[column] }
            let count = Double(values.count)
            if values.isEmpty { return nil }
            let isRatio = column == 2 || column == 3 || column > 5
            if isRatio { return values.reduce(1) { $0 * pow($1, 1 / count) } }
            return values.reduce(0, +) / count
        }
    }

    private static func fixed(_ value: Double, _ digits: Int = 3) -> String {
        guard value.isFinite else { return "-" }
        let factor = digits == 1 ? 10.0 : 1_000
        let whole = Int64((min(1e12, value.magnitude) * factor).rounded())
        let fraction = String(whole % Int64(factor))
        let zeros = String(repeating: "0", count: digits - fraction.count)
        return "\(value < 0 ? "-" : "")\(whole / Int64(factor)).\(zeros)\(fraction)"
    }
}

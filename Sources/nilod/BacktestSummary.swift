import Backtesting
import Glibc

/// The table that a backtest ends with.
enum BacktestSummary {
    /// - Parameter training: how the training before the first forecast ended.
    static func text(_ results: [(String, Scorecard.Result)], training: String?, seconds: Double) -> String {
        let header = ["SERIES", "MASE", "sQL", "relMASE", "relsQL", "INNER", "OUTER"]
        let rows = results.map { name, result in [name] + numbers(result).map { fixed($0) } }
        let lines = ([header] + rows + [["ALL"] + mean(results.map(\.1)).map { fixed($0) }])
        let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        let table = lines.map { line in
            line.enumerated().map { column, text in
                let padding = String(repeating: " ", count: widths[column] - text.count)
                return column == 0 ? text + padding : padding + text
            }.joined(separator: "  ")
        }
        let closing = [training.map { "training: \($0)" }, "\(fixed(seconds, 1)) seconds"].compactMap { $0 }
        return (table + closing).joined(separator: "\n")
    }

    private static func numbers(_ result: Scorecard.Result) -> [Double] {
        [result.mase, result.sql, result.relativeMASE, result.relativeSQL, result.inner, result.outer]
    }

    /// Means over series; of ratios the geometric mean.
    private static func mean(_ results: [Scorecard.Result]) -> [Double] {
        let count = Double(max(1, results.count))
        return (0..<6).map { column in
            let values = results.map { numbers($0)[column] }
            let isRatio = column == 2 || column == 3
            if isRatio { return values.reduce(1) { $0 * pow($1, 1 / count) } }
            return values.reduce(0, +) / count
        }
    }

    private static func fixed(_ value: Double, _ digits: Int = 3) -> String {
        let factor = digits == 1 ? 10.0 : 1_000
        let whole = Int64((min(1e12, value.magnitude) * factor).rounded())
        let fraction = String(whole % Int64(factor))
        let zeros = String(repeating: "0", count: digits - fraction.count)
        return "\(value < 0 ? "-" : "")\(whole / Int64(factor)).\(zeros)\(fraction)"
    }
}

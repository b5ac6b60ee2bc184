import LineProtocol
public import TimeSeries

/// The forecasts of a backtest as CSV: `series,origin,step` and a column for each quantile, `q0.1`.
public enum ForecastFile {
    public static func header(_ quantiles: QuantileLevels) -> String {
        (["series", "origin", "step"] + quantiles.levels.map { "q\($0)" }).joined(separator: ",") + "\n"
    }

    public static let surpriseHeader = "series,row,tail,surprise\n"

    /// The origin row, the tail probability of its value and the surprise of its slot; the tail is empty if no forecast
    /// was made before the value.
    public static func surprise(_ made: Backtest.Made) -> String {
        "\(CSVText.field(made.series)),\(made.origin),\(made.tail.map { "\($0)" } ?? ""),\(made.surprise)\n"
    }

    /// One row per lead; numbers are exact.
    public static func rows(_ made: Backtest.Made, _ quantiles: QuantileLevels) -> String {
        var text = ""
        for (index, start) in stride(from: 0, to: made.values.count, by: quantiles.count).enumerated() {
            text += "\(CSVText.field(made.series)),\(made.origin),\(index + 1)"
            for value in made.values[start..<start + quantiles.count] { text += ",\(value)" }
            text += "\n"
        }
        return text
    }
}

public import TimeSeries

/// The forecasts of a backtest as CSV: `series,origin,step` and a column for each quantile, `q0.1`.
public enum ForecastFile {
    public static func header(_ quantiles: QuantileLevels) -> String {
        (["series", "origin", "step"] + quantiles.levels.map { "q\($0)" }).joined(separator: ",") + "\n"
    }

    public static let tailHeader = "series,row,tail\n"

    /// The row that was read last and the tail probability of its value; nothing for a row without one.
    public static func tail(_ made: Backtest.Made) -> String {
        made.tail.map { "\(made.series),\(made.origin),\($0)\n" } ?? ""
    }

    /// One row per lead; numbers are exact.
    public static func rows(_ made: Backtest.Made, _ quantiles: QuantileLevels) -> String {
        var text = ""
        for (place, start) in stride(from: 0, to: made.values.count, by: quantiles.count).enumerated() {
            text += "\(made.series),\(made.origin),\(place + 1)"
            for value in made.values[start..<start + quantiles.count] { text += ",\(value)" }
            text += "\n"
        }
        return text
    }
}

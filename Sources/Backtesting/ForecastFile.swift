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
    public static func surprise(_ forecast: Backtest.Prediction) -> String {
        "\(CSVText.field(forecast.series)),\(forecast.origin),"
            + "\(forecast.tail.map { "\($0)" } ?? ""),\(forecast.surprise)\n"
    }

    /// One row per lead; numbers are exact.
    public static func rows(_ forecast: Backtest.Prediction, _ quantiles: QuantileLevels) -> String {
        var text = ""
        for (index, start) in stride(from: 0, to: forecast.values.count, by: quantiles.count).enumerated() {
            text += "\(CSVText.field(forecast.series)),\(forecast.origin),\(index + 1)"
            for value in forecast.values[start..<start + quantiles.count] { text += ",\(value)" }
            text += "\n"
        }
        return text
    }
}

/// Which rows are trained on, which are replayed, and which are forecast origins.
///
/// Rows are numbered from 0 in the file's order, by series. After row `t` has been read, for each origin `t = warm − 1,
/// warm − 1 + stride, …` with `t + horizon < end`, the rows `t + 1 … t + horizon` are forecast.
public struct BacktestPlan: Sendable, Hashable {
    /// The number of rows up to the first origin, which the first training uses; negative counts from the end.
    public var warm: Int
    /// The row after the last one that is read; negative counts from the end, 0 is the end.
    public var end: Int
    public var stride: Int
    public var horizon: Int

    public init(warm: Int, end: Int, stride: Int, horizon: Int) {
        (self.warm, self.end, self.stride, self.horizon) = (warm, end, stride, horizon)
    }

    /// The rows of one series.
    struct Rows: Sendable {
        var warm: Int
        var end: Int
        var origins: [Int]
    }

    func rows(of series: DataSeries) throws(BacktestError) -> Rows {
        let end = end <= 0 ? series.count + end : min(end, series.count)
        let warm = warm < 0 ? series.count + warm : warm
        guard warm > 0, warm < end, stride > 0, horizon > 0 else {
            throw .badPlan(
                series: series.name,
                reason: "rows 0..<\(warm) to train on and \(warm)..<\(end) to forecast, of \(series.count)")
        }
        let origins = Array(Swift.stride(from: warm - 1, to: end - horizon, by: stride))
        guard !origins.isEmpty else {
            throw .badPlan(
                series: series.name, reason: "to forecast \(horizon) rows of the \(end - warm) after the first \(warm)")
        }
        return Rows(warm: warm, end: end, origins: origins)
    }
}

/// Why a backtest cannot run.
public enum BacktestError: Error, Equatable, CustomStringConvertible {
    case badRow(line: Int, reason: String)
    case badPlan(series: String, reason: String)
    case unknownForecaster(String, known: [String])
    case trainingFailed(String)

    public var description: String {
        switch self {
        case .badRow(let line, let reason): "line \(line): \(reason)"
        case .badPlan(let series, let reason):
            "\(series): --warm, --end, --stride and --horizon leave nothing to forecast: they say \(reason)"
        case .unknownForecaster(let name, let known):
            "the configuration has no forecaster \"\(name)\"; it has \(known.joined(separator: ", "))"
        case .trainingFailed(let reason): "the training before the first forecast failed: \(reason)"
        }
    }
}

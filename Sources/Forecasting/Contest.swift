import TimeSeries

/// How accurately a model forecast one series during the holdout; smaller is better, and 1 is about as good as
/// repeating the last value.
public struct SeriesScore: Sendable, Hashable, Codable {
    /// The mean pinball loss over leads and quantiles, doubled, divided by the MASE scale.
    public var pinball: Double
    /// The mean absolute error of the median, divided by the MASE scale.
    public var mase: Double
    /// The share of the actual values between the outermost quantiles, 0…1.
    public var coverage: Double

    public init(pinball: Double, mase: Double, coverage: Double) {
        self.pinball = pinball
        self.mase = mase
        self.coverage = coverage
    }

    public var isFinite: Bool { pinball.isFinite && mase.isFinite }
}

/// A comparison of models on a holdout.
///
/// Every model is stepped through every series exactly as it would be live, and its forecasts for the last part of the
/// series are scored against the actual values.
public struct Contest: Sendable {
    private let panel: Panel
    private let holdout: Double

    /// - Parameter holdout: the fraction at the end of every series, 0 < holdout < 1, on which forecasts are scored.
    public init(panel: Panel, holdout: Double) {
        self.panel = panel
        self.holdout = holdout
    }

    /// The scores of a model with one expert, one per series of the panel; nil where the holdout has no values to
    /// score.
    public func scores(of model: any ForecastModel, specification: ForecastSpecification) -> [SeriesScore?] {
        var runners = panel.series.map { Runner($0, holdout: holdout, model: model, specification: specification) }
        let length = panel.series.map(\.values.count).max() ?? 0
        for index in 0..<length {
            for wantsForecasts in [false, true] {
                let rows = runners.indices.filter { runners[$0].isScheduled(at: index, wantsForecasts) }
                if !rows.isEmpty { step(&runners, rows, index, wantsForecasts, model, specification) }
            }
        }
        return runners.map(\.score)
    }

    private func step(
        _ runners: inout [Runner], _ rows: [Int], _ index: Int, _ wantsForecasts: Bool, _ model: any ForecastModel,
        _ specification: ForecastSpecification
    ) {
        let (states, count) = (model.stateCount, specification.forecastCount)
        var batch = AdvanceBatch(
            count: rows.count, model: model, forecastCount: count, wantsForecasts: wantsForecasts)
        for (row, runner) in rows.enumerated() {
            batch.states.replaceSubrange(row * states..<(row + 1) * states, with: runners[runner].state)
            batch.series[row] = runners[runner].column.id
            batch.slots[row] = runners[runner].column.start + Int64(index)
            batch.values[row] = runners[runner].column.values[index]
            for (offset, lag) in model.lags.enumerated() {
                batch.lagged[row * model.lags.count + offset] = runners[runner].value(at: index - lag)
            }
            batch.calendar[row] = runners[runner].column.calendar(at: index)
        }
        model.advance(&batch)
        for (row, runner) in rows.enumerated() {
            runners[runner].state = Array(batch.states[row * states..<(row + 1) * states])
            if wantsForecasts {
                runners[runner].addErrors(of: batch.forecasts[row * count..<(row + 1) * count], origin: index)
            }
        }
    }
}

/// The state and the score sums of one series during a contest.
private struct Runner {
    let column: Panel.Series
    var state: [Float]
    private let specification: ForecastSpecification
    private let firstOrigin: Int
    private let stride: Int
    private let scale: Double
    private var loss = 0.0
    private var error = 0.0
    private var inside = 0
    private var count = 0

    init(
        _ column: Panel.Series, holdout: Double, model: any ForecastModel, specification: ForecastSpecification
    ) {
        self.column = column
        self.specification = specification
        state = model.initialState
        firstOrigin = column.values.count - Int(Double(column.values.count) * holdout) - 1
        stride = max(1, specification.horizon / 4)
        scale = maseScale(column.values.prefix(max(0, firstOrigin + 1)))
    }

    func value(at index: Int) -> Float { column.values.indices.contains(index) ? column.values[index] : .nan }

    func isScheduled(at index: Int, _ wantsForecasts: Bool) -> Bool {
        let isOrigin = index >= firstOrigin && (index - firstOrigin) % stride == 0
        return index < column.values.count && isOrigin == wantsForecasts
    }

    mutating func addErrors(of forecast: ArraySlice<Float>, origin: Int) {
        let width = specification.quantiles.count
        for lead in 1...specification.horizon {
            let truth = Double(value(at: origin + lead))
            guard !truth.isNaN else { continue }
            let row = forecast[(forecast.startIndex + (lead - 1) * width)...].prefix(width).map { Double($0) }
            for (level, quantile) in zip(specification.quantiles.levels, row) {
                loss += 2 * PinballLoss.of(truth - quantile, level: level) / Double(width)
                if quantile.isNaN { loss = .nan }
            }
            error += abs(truth - row[specification.quantiles.medianIndex])
            if let low = row.first, let high = row.last, low <= truth, truth <= high { inside += 1 }
            count += 1
        }
    }

    var score: SeriesScore? {
        guard count > 0 else { return nil }
        let total = Double(count)
        return SeriesScore(
            pinball: loss / total / scale, mase: error / total / scale, coverage: Double(inside) / total)
    }
}

/// The mean absolute step of a series: the unit in which MASE expresses errors (Hyndman and Koehler, 2006).
///
/// A constant series gets a tiny scale proportional to its magnitude instead of zero, so that scores stay finite.
public func maseScale(_ values: some Sequence<Float>) -> Double {
    var (last, sum, size, count, steps) = (Double.nan, 0.0, 0.0, 0, 0)
    for value in values where !value.isNaN {
        if !last.isNaN {
            sum += abs(Double(value) - last)
            steps += 1
        }
        last = Double(value)
        size += abs(last)
        count += 1
    }
    let floor = 1e-9 + 1e-6 * size / Double(max(1, count))
    return max(floor, steps == 0 ? 0 : sum / Double(steps))
}

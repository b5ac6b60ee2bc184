import Forecasting
public import TimeSeries

/// The scores of the forecasts of one series, relative to the seasonal naive method.
public struct Scorecard: Sendable {
    /// The name of the series.
    public let series: String
    private let values: [Double]
    private let quantiles: QuantileLevels
    private let horizon: Int
    /// The mean absolute seasonal difference of the rows before the first origin, by which errors are divided.
    private let scale: Double
    private let naive: SeasonalNaiveReference
    private var own = Sums()
    private var reference = Sums()
    /// The experts, in the order of their first forecast.
    private var experts: [Expert] = []

    /// - Parameter season: the length of the season in rows, at least 1.
    /// - Throws: ``BacktestError/badPlan(series:reason:)``.
    public init(
        _ series: DataSeries, plan: BacktestPlan, quantiles: QuantileLevels, season: Int
    ) throws(BacktestError) {
        let warm = try plan.rows(of: series).warm
        self.series = series.name
        (values, self.quantiles, horizon) = (series.values, quantiles, plan.horizon)
        guard season > 0 else { throw .badPlan(series: series.name, reason: "a season of \(season) rows") }
        scale = Self.scale(series.values.prefix(warm), season)
        naive = SeasonalNaiveReference(
            series.values, warm: warm, season: season, horizon: plan.horizon, levels: quantiles.levels)
    }

    /// The scale of the MASE of Hyndman and Koehler (2006): the mean absolute seasonal difference, or if it is not
    /// positive that of consecutive rows, otherwise 1.
    private static func scale(_ values: ArraySlice<Double>, _ season: Int) -> Double {
        for lag in [season, 1] where values.count > lag {
            let differences = zip(values.dropFirst(lag), values).map { abs($0 - $1) }.filter { !$0.isNaN }
            let mean = differences.reduce(0, +) / Double(max(1, differences.count))
            if mean > 1e-9 { return mean }
        }
        return 1
    }

    /// Scores a forecast against the rows after its origin, except missing ones.
    public mutating func add(_ forecast: Backtest.Prediction) {
        let reference = naive.forecast(from: forecast.origin)
        for lead in 1...horizon {
            let row = forecast.origin + lead
            guard row < values.count, !values[row].isNaN else { continue }
            own.add(values[row], quantiles.row(forecast.values, lead), quantiles, scale)
            self.reference.add(values[row], reference[lead - 1], quantiles, scale)
            for expert in forecast.experts {
                let index = index(of: expert.name)
                experts[index].own.add(values[row], quantiles.row(expert.values, lead), quantiles, scale)
                experts[index].reference.add(values[row], reference[lead - 1], quantiles, scale)
            }
        }
    }

    private mutating func index(of expert: String) -> Int {
        if let index = experts.firstIndex(where: { $0.name == expert }) { return index }
        experts.append(Expert(name: expert))
        return experts.count - 1
    }

    /// Promotions add and remove experts, so each has its own reference over the same values.
    private struct Expert: Sendable {
        var name: String
        var own = Sums()
        var reference = Sums()
    }

    /// Means over the scored values; ratios are those of the sums to the seasonal naive's sums.
    public struct Result: Sendable {
        /// Mean absolute error of the median over the scale.
        public var mase: Double
        /// Twice the mean pinball loss over the levels from .1 to .9, over the scale.
        public var sql: Double
        public var relativeMASE: Double
        public var relativeSQL: Double
        /// The fraction of the scored values inside the second outermost interval, or inside the only one.
        public var inner: Double
        /// The fraction of the scored values inside the outermost interval.
        public var outer: Double
        public var truths: Int
        /// `relativeSQL` of each expert alone, without the daemon's calibration.
        public var experts: [(name: String, relativeSQL: Double)]
    }

    public var result: Result {
        let count = Double(max(1, own.count))
        func ratio(_ a: Double, _ b: Double) -> Double { max(a, 1e-9) / max(b, 1e-9) }
        return Result(
            mase: own.error / count, sql: own.loss / count, relativeMASE: ratio(own.error, reference.error),
            relativeSQL: ratio(own.loss, reference.loss), inner: Double(own.inner) / count,
            outer: Double(own.outer) / count, truths: own.count,
            experts: experts.map { ($0.name, ratio($0.own.loss, $0.reference.loss)) })
    }

    private struct Sums: Sendable {
        var (error, loss) = (0.0, 0.0)
        var (inner, outer, count) = (0, 0, 0)

        mutating func add(_ truth: Double, _ row: [Double], _ quantiles: QuantileLevels, _ scale: Double) {
            error += abs(truth - row[quantiles.medianIndex]) / scale
            let scored = quantiles.levels.indices.filter { (0.099...0.901).contains(quantiles.levels[$0]) }
            for index in scored {
                let loss = PinballLoss.of(truth - row[index], level: quantiles.levels[index])
                self.loss += 2 * loss / Double(scored.count) / scale
            }
            let inset = row.count >= 5 ? 1 : 0
            if row[inset] <= truth, truth <= row[row.count - 1 - inset] { inner += 1 }
            if row[0] <= truth, truth <= row[row.count - 1] { outer += 1 }
            count += 1
        }
    }
}

extension QuantileLevels {
    /// The quantiles of one lead, from 1, out of `[horizon][quantiles]`.
    fileprivate func row(_ values: [Float], _ lead: Int) -> [Double] {
        values[(lead - 1) * count..<lead * count].map { Double($0) }
    }
}

/// The seasonal naive forecast, the value one season ago, with quantiles from its own past errors.
struct SeasonalNaiveReference: Sendable {
    private let filled: [Double]
    private let season: Int
    private let horizon: Int
    /// `[horizon][levels]`.
    private var offsets: [[Double]] = []

    init(_ values: [Double], warm: Int, season: Int, horizon: Int, levels: [Double]) {
        (self.season, self.horizon) = (season, horizon)
        var last = values.first { !$0.isNaN } ?? 0
        filled = values.map { value in
            if !value.isNaN { last = value }
            return last
        }
        let first = max(warm - 1_500, warm / 2, 2 * season)
        let count = 600
        let origins = Set((0..<count).map { first + (warm - 1 - horizon - first) * $0 / (count - 1) })
        for lead in 1...horizon {
            let errors = origins.filter { $0 >= season && $0 + lead < warm }
                .map { values[$0 + lead] - point(from: $0, lead) }.filter { !$0.isNaN }.sorted()
            offsets.append(levels.map { Self.quantile(errors, $0) })
        }
    }

    func forecast(from origin: Int) -> [[Double]] {
        (1...horizon).map { lead in offsets[lead - 1].map { point(from: origin, lead) + $0 } }
    }

    private func point(from origin: Int, _ lead: Int) -> Double {
        let seasons = (lead + season - 1) / season
        return filled[max(0, origin + lead - seasons * season)]
    }

    private static func quantile(_ sorted: [Double], _ level: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        let position = level * Double(sorted.count - 1)
        let low = Int(position)
        let high = min(low + 1, sorted.count - 1)
        return sorted[low] + (position - Double(low)) * (sorted[high] - sorted[low])
    }
}

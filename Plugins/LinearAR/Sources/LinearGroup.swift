package import Forecasting
import Recurrent
package import TimeSeries

/// The linear base for the series of one cadence: shared weights, and the parameters of each series.
package struct LinearGroup: Sendable {
    /// One series of the training panel.
    package struct Member: Sendable {
        /// Its row in the group's tables.
        package var row: Int
        package var scale: Float
        package var center: Float
        /// The individual weights; nil if the shared weights forecast better.
        package var own: LinearWeights?
        /// Quantiles of the residuals, `[horizon][quantiles]`, in units of the scale.
        package var residuals: [Float]
        /// Quantiles of the training values, `[quantiles]`: the forecast where nothing recent is known. Empty in weights
        /// from before they were kept.
        package var marginal: [Float] = []
    }

    package var cadenceSeconds: Float
    package var seasons: Seasonality
    package var lags: [Int]
    package var shared: LinearWeights
    /// Quantiles of the residuals over all series, `[horizon][quantiles]`, in units of the scale.
    package var residuals: [Float]
    package var members: [SeriesID: Member]

    package var horizon: Int { shared.bias.count }

    /// The lag at which the value one season before `lead` is found; 0 is the newest slot itself, and the result
    /// without a season.
    package static func seasonalLag(_ season: Int, lead: Int) -> Int {
        season > 0 ? (lead + season - 1) / season * season - lead : 0
    }

    /// The member of that ID, if the series was in the training panel.
    package func member(_ id: SeriesID) -> Member? { members[id] }
}

/// Hyperparameters of the linear base.
package struct LinearOptions: Sendable {
    package var seasons: Seasonality
    package var findsSeasons: Bool
    package var ownsWeights: Bool

    package init(seasons: Seasonality, findsSeasons: Bool, ownsWeights: Bool) {
        (self.seasons, self.findsSeasons, self.ownsWeights) = (seasons, findsSeasons, ownsWeights)
    }

    /// Reads resolved parameters; `season` and `long_season` are -1 if the data should decide.
    package init(_ parameters: Parameters) {
        var (short, long) = (-1, -1)
        if case .integer(let value)? = parameters["season"] { short = value }
        if case .integer(let value)? = parameters["long_season"] { long = value }
        seasons = Seasonality(short: max(0, short), long: max(0, long))
        findsSeasons = short < 0
        ownsWeights = parameters["own_weights"] != .boolean(false)
    }

    /// The descriptions of those parameters.
    package static let descriptions = [
        ParameterDescription(
            "season", .integer(-1), range: -1...2_100,
            "slots in the short season; 0 for none; -1: a day if the data agrees, else the period that stands out"),
        ParameterDescription(
            "long_season", .integer(0), range: 0...2_100, "slots in the long season if `season` is declared; 0 for none"
        ),
        ParameterDescription(
            "own_weights", .boolean(true),
            "whether a series may have linear weights of its own where they forecast better (groups of at most 64)"),
    ]
}

extension LinearGroup {
    /// The number of slots that the longest series needs; a shorter panel is refused.
    package static func minimumSlots(horizon: Int) -> Int { max(48, 2 * horizon + 12) }

    /// Fits one group per cadence of the panel; a group in which all series are too short is left out.
    ///
    /// - Throws: ``ForecastingError/tooLittleHistory(method:found:needed:)`` when no group is left.
    package static func fit(
        _ panel: Panel, _ specification: ForecastSpecification, _ options: LinearOptions, method: String
    ) throws -> [(group: LinearGroup, series: [FilledSeries])] {
        let needed = minimumSlots(horizon: specification.horizon)
        let byCadence = Dictionary(grouping: panel.series, by: \.cadence.nanoseconds)
        var groups: [(LinearGroup, [FilledSeries])] = []
        for (nanoseconds, columns) in byCadence.sorted(by: { $0.key < $1.key }) {
            let series = columns.compactMap { FilledSeries($0) }
            guard series.contains(where: { $0.count >= needed }) else { continue }
            groups.append(try fit(series, Double(nanoseconds) / 1e9, specification, options))
        }
        guard !groups.isEmpty else {
            let longest = panel.series.compactMap { FilledSeries($0)?.count }.max() ?? 0
            throw ForecastingError.tooLittleHistory(method: method, found: longest, needed: needed)
        }
        return groups
    }

    private static func fit(
        _ columns: [FilledSeries], _ cadence: Double, _ specification: ForecastSpecification, _ options: LinearOptions
    ) throws -> (LinearGroup, [FilledSeries]) {
        var series = columns
        for index in series.indices { series[index].measureScale(season: 0) }
        let seasons = Seasonality.find(
            series, cadenceSeconds: cadence, declared: options.seasons, automatic: options.findsSeasons)
        for index in series.indices { series[index].measureScale(season: seasons.short) }
        let history = series.map(\.count).max() ?? 0
        let lags = LagWindow.linearLags(seasons, horizon: specification.horizon, history: history)
        let fit = try LinearFit(
            series, window: LagWindow(lags), horizon: specification.horizon, ownsWeights: options.ownsWeights
        ).run()
        let levels = specification.quantiles.levels
        let pooled = residualQuantiles(fit.residuals.flatMap { $0 }, specification.horizon, levels)
        var members: [SeriesID: Member] = [:]
        for (index, column) in series.enumerated() {
            let hasEnough = fit.residuals[index].count >= 30 * specification.horizon
            members[column.id] = Member(
                row: index, scale: column.scale, center: column.center, own: fit.own[index],
                residuals: hasEnough ? residualQuantiles(fit.residuals[index], specification.horizon, levels) : pooled,
                marginal: residualQuantiles(column.knownValues, 1, levels))
        }
        return (
            LinearGroup(
                cadenceSeconds: Float(cadence), seasons: seasons, lags: lags, shared: fit.shared, residuals: pooled,
                members: members), series
        )
    }

    /// Quantiles per lead of residuals `[rows][horizon]`, interpolated between the two nearest.
    private static func residualQuantiles(_ residuals: [Float], _ horizon: Int, _ levels: [Double]) -> [Float] {
        let rows = residuals.count / horizon
        guard rows > 0 else { return [Float](repeating: 0, count: horizon * levels.count) }
        return (0..<horizon).flatMap { lead in
            let sorted = (0..<rows).map { residuals[$0 * horizon + lead] }.sorted()
            return levels.map { level in
                let position = level * Double(rows - 1)
                let (low, high) = (Int(position), min(Int(position) + 1, rows - 1))
                return sorted[low] + Float(position - Double(low)) * (sorted[high] - sorted[low])
            }
        }
    }
}

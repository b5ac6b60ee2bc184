import Forecasting
import Testing
import TimeSeries

/// Panels and steps that the tests of the linear base and the recipe share.
enum Wave {
    static let horizon = 6
    static let levels = [0.1, 0.5, 0.9]

    static func specification(
        _ parameters: Parameters = [:], horizon: Int = horizon
    ) throws -> ForecastSpecification {
        ForecastSpecification(
            horizon: horizon, quantiles: try #require(QuantileLevels(levels)), parameters: parameters)
    }

    /// A recipe that trains in a moment.
    static let small: Parameters = [
        "units": .integer(5), "dense_units": .integer(7), "decoder_units": .integer(12), "steps": .integer(12),
        "batch": .integer(8), "chunk": .integer(24), "positions": .integer(3), "carry": .integer(3),
    ]

    /// Slots in a day of half hours.
    static let season = 48

    static func value(_ series: Int, _ slot: Int) -> Float {
        let phase = (slot + 5 * series) % season
        let noise = Float((slot &* 7_919 &+ series &* 104_729) % 1_000) / 500 - 1
        return 20 + 3 * Float(series) + Float(phase < 24 ? phase : 48 - phase) + noise
    }

    static func series(_ number: Int, slots: Int, seconds: Int64 = 1_800) throws -> Panel.Series {
        Panel.Series(
            id: SeriesID(Int64(number) + 1), key: "wave,n=\(number) v",
            cadence: try #require(Cadence(nanoseconds: seconds * 1_000_000_000)), start: 480_000,
            values: (0..<slots).map { value(number, $0) }, utcOffsets: [Int32](repeating: 0, count: slots))
    }

    static func panel(_ count: Int = 3, slots: Int = 300) throws -> Panel {
        Panel(series: try (0..<count).map { try series($0, slots: slots) })
    }
}

/// A model on its way along some series, all in one batch or in parts.
struct Walk {
    let model: any ForecastModel
    let horizon: Int
    var states: [[Float]]

    init(_ model: any ForecastModel, series: Int, horizon: Int = Wave.horizon) {
        (self.model, self.horizon) = (model, horizon)
        states = Array(repeating: model.initialState, count: series)
    }

    /// Steps `columns` at `index`; returns every row's forecasts, `[experts][horizon][quantiles]`.
    mutating func step(_ columns: [Panel.Series], at index: Int, parts: [[Int]]) -> [[Float]] {
        var forecasts = [[Float]](repeating: [], count: columns.count)
        for rows in parts {
            let forecastCount = horizon * Wave.levels.count
            var batch = AdvanceBatch(
                count: rows.count, model: model, forecastCount: forecastCount, wantsForecasts: true)
            batch.states = rows.flatMap { states[$0] }
            for (place, row) in rows.enumerated() {
                batch.series[place] = columns[row].id
                batch.values[place] = columns[row].values[index]
                batch.calendar[place] = columns[row].calendar(at: index)
                for (offset, lag) in model.lags.enumerated() where index >= lag {
                    batch.lagged[place * model.lags.count + offset] = columns[row].values[index - lag]
                }
            }
            model.advance(&batch)
            let size = forecastCount * model.experts.count
            for (place, row) in rows.enumerated() {
                states[row] = Array(batch.states[place * model.stateCount..<(place + 1) * model.stateCount])
                forecasts[row] = Array(batch.forecasts[place * size..<(place + 1) * size])
            }
        }
        return forecasts
    }

    /// The same for one series from its first slot on; returns the last forecasts.
    mutating func run(_ column: Panel.Series) -> [Float] {
        var last: [Float] = []
        for index in column.values.indices { last = step([column], at: index, parts: [[0]])[0] }
        return last
    }
}

extension Array where Element == Float {
    var bits: [UInt32] { map(\.bitPattern) }
}

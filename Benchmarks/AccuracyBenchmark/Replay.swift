import Forecasting
import Glibc
import TimeSeries

/// Seconds that this process has computed: what a loaded machine does not change.
func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Steps a model through the series of a dataset row by row, as the daemon would, and hands over its forecasts.
struct Replay {
    /// Rows that a series' state is warmed with before the first forecast, at most.
    static let warmUp = 1_500

    let model: any ForecastModel
    let specification: ForecastSpecification
    /// Processor seconds of the steps that forecast, and how many series stepped there.
    var seconds = 0.0
    var steps = 0

    init(_ model: any ForecastModel, _ specification: ForecastSpecification) {
        (self.model, self.specification) = (model, specification)
    }

    /// The forecasts of every origin, per course `[origins][experts][horizon][quantiles]`.
    mutating func run(_ courses: [Course]) -> [[Float]] {
        var states = courses.map { _ in model.initialState }
        var forecasts = courses.map { _ in [Float]() }
        // Courses are aligned at their first origins, so that they step as one batch.
        let least = -Self.warmUp
        let most = courses.map { $0.end - $0.warm }.max() ?? 0
        for offset in least..<most {
            let rows = courses.indices.filter { place in
                let row = courses[place].warm - 1 + offset
                return row >= 0 && row < courses[place].end - specification.horizon
            }
            guard !rows.isEmpty else { continue }
            var batch = AdvanceBatch(
                count: rows.count, model: model, forecastCount: specification.forecastCount,
                wantsForecasts: offset >= 0)
            for (row, place) in rows.enumerated() { fill(&batch, row, courses[place], offset, states[place]) }
            let start = processorSeconds()
            model.advance(&batch)
            if offset >= 0 {
                seconds += processorSeconds() - start
                steps += rows.count
            }
            let count = model.experts.count * specification.forecastCount
            for (row, place) in rows.enumerated() {
                states[place] = Array(batch.states[row * model.stateCount..<(row + 1) * model.stateCount])
                if offset >= 0 { forecasts[place] += batch.forecasts[row * count..<(row + 1) * count] }
            }
        }
        return forecasts
    }

    private func fill(_ batch: inout AdvanceBatch, _ row: Int, _ course: Course, _ offset: Int, _ state: [Float]) {
        let index = course.warm - 1 + offset
        batch.states.replaceSubrange(row * model.stateCount..<(row + 1) * model.stateCount, with: state)
        batch.series[row] = course.series.id
        batch.values[row] = course.series.values[index]
        for (place, lag) in model.lags.enumerated() where index >= lag {
            batch.lagged[row * model.lags.count + place] = course.series.values[index - lag]
        }
        batch.calendar[row] = course.series.calendar(at: index)
    }
}

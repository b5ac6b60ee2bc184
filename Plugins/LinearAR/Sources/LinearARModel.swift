import Forecasting
import Recurrent
package import TimeSeries

/// The linear base as a forecast model.
///
/// The state, `[3]`, is the running scale, the number of differences seen, and the last value.
final class LinearARModel: ForecastModel {
    let lags: [Int]
    let stateCount = RunningScale.count
    let initialState = RunningScale.initial
    private let horizon: Int
    private let width: Int
    private let groups: [Runner]

    /// A group with its weights packed.
    private struct Runner: Sendable {
        let group: LinearGroup
        let window: LagWindow
        let fallback: SeasonalFallback
        let shared: DenseCell
        let own: [SeriesID: DenseCell]
    }

    init(_ groups: [LinearGroup], _ specification: ForecastSpecification) throws(RecurrentError) {
        horizon = specification.horizon
        width = specification.quantiles.count
        let horizon = horizon
        let all = Set(groups.flatMap { $0.lags + SeasonalFallback.lags($0.seasons, horizon: horizon) }).sorted()
        lags = all
        var runners: [Runner] = []
        for group in groups {
            var own: [SeriesID: DenseCell] = [:]
            for (id, member) in group.members { if let weights = member.own { own[id] = try weights.cell() } }
            runners.append(
                Runner(
                    group: group, window: LagWindow(group.lags, among: all),
                    fallback: SeasonalFallback(group.seasons, specification, among: all),
                    shared: try group.shared.cell(), own: own))
        }
        self.groups = runners
    }

    var summary: String {
        groups.map(\.group).map { group in
            let own = group.members.values.count { $0.own != nil }
            return
                "Linear(\(group.lags.count) lags)  \(horizon) leads  \(group.members.count) series, \(own) with weights "
                + "of their own  seasons \(group.seasons.short), \(group.seasons.long)"
        }.joined(separator: "\n")
    }

    func advance(_ batch: inout AdvanceBatch) {
        let groupIndices = batch.calendar.indices.map { row in
            GroupChoice.index(
                of: batch.series[row], batch.calendar[row].cadenceSeconds, members: groups.map(\.group.members),
                cadences: groups.map(\.group.cadenceSeconds))
        }
        batch.lagged.withUnsafeBufferPointer { lagged in
            batch.states.withUnsafeMutableBufferPointer { states in
                guard let states = states.baseAddress else { return }
                // A model without lags still needs a valid pointer, although nothing is read through it.
                let lagged = lagged.baseAddress ?? UnsafePointer(states)
                for row in 0..<batch.count {
                    let runner = groups[groupIndices[row]]
                    let (state, rowLagged) = (states + row * stateCount, lagged + row * lags.count)
                    var running = RunningScale(state)
                    running.observe(
                        batch.values[row], seasonal: runner.fallback.seasonIndex.map { rowLagged[$0] } ?? .nan)
                    running.store(to: state)
                    guard batch.wantsForecasts else { continue }
                    forecast(
                        runner, batch.series[row], batch.values[row], rowLagged, running,
                        to: &batch.forecasts, row * horizon * width)
                }
            }
        }
    }

    private func forecast(
        _ runner: Runner, _ id: SeriesID, _ value: Float, _ lagged: UnsafePointer<Float>, _ running: RunningScale,
        to forecasts: inout [Float], _ start: Int
    ) {
        let member = runner.group.member(id)
        let scale = member?.scale ?? running.divisor
        withUnsafeTemporaryAllocation(of: Float.self, capacity: runner.window.count + horizon) { buffer in
            forecasts.withUnsafeMutableBufferPointer { forecasts in
                guard let d = buffer.baseAddress, let out = forecasts.baseAddress else { return }
                let read = runner.window.read(lagged, value: value, scale: scale, to: d)
                let last = read.isFinite ? read : running.last
                if member == nil, !runner.fallback.hasTwoSeasons(lagged) {
                    return runner.fallback.write(lagged, running, last: last, to: out + start)
                }
                if !read.isFinite, let marginal = member?.marginal, !marginal.isEmpty {
                    // A silence longer than the window: what is usual says more than what was last.
                    for index in 0..<horizon * width { out[start + index] = marginal[index % width] }
                    return
                }
                let base = d + runner.window.count
                (runner.own[id] ?? runner.shared).forward(rows: 1, x: d, xStride: runner.window.count, y: base)
                let residuals = member?.residuals ?? runner.group.residuals
                for lead in 0..<horizon {
                    for column in lead * width..<(lead + 1) * width {
                        out[start + column] = last + scale * (base[lead] + residuals[column])
                    }
                }
            }
        }
    }
}

/// Chooses the group of a model to which a row belongs.
package enum GroupChoice {
    /// The index of the group in which the series was trained, or else of the group with the nearest cadence.
    package static func index<Member>(
        of id: SeriesID, _ cadenceSeconds: Float, members: [[SeriesID: Member]], cadences: [Float]
    ) -> Int {
        if let index = members.firstIndex(where: { $0[id] != nil }) { return index }
        func distance(_ index: Int) -> Float {
            let (a, b) = (cadences[index], max(cadenceSeconds, 1e-9))
            return max(a / b, b / a)
        }
        return cadences.indices.min { (distance($0), $0) < (distance($1), $1) } ?? 0
    }
}

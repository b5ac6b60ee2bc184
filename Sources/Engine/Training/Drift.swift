import Forecasting
import Storage
import TimeSeries

extension Engine {
    /// The forecasters whose forecasts have become so much worse that they should be retrained.
    ///
    /// Each series is compared with its own history; the median series decides, so that one broken sensor does not
    /// start a training run.
    package func drifting() async throws -> [String] {
        let configurations = try await writer.run(CurrentConfiguration()).forecasters.filter { $0.driftRatio != nil }
        guard !configurations.isEmpty else { return [] }
        var ratios: [String: [Float]] = [:]
        for partial in try await shards.askAll({ $0.driftRatios() }) { ratios.merge(partial) { $0 + $1 } }
        let (records, now) = (try store.schedule(), clock.now)
        return configurations.filter { forecaster in
            let sorted = (ratios[forecaster.name] ?? []).sorted()
            guard let limit = forecaster.driftRatio, !sorted.isEmpty else { return false }
            let rest = records[forecaster.name]?.lastFinished.map { now.nanoseconds(since: $0) } ?? .max
            return rest >= forecaster.driftCooldown && Double(sorted[sorted.count / 2]) > limit
        }.map(\.name)
    }
}

extension ShardView {
    /// The ratios of the recent to the long-term loss of each series, by forecaster.
    func driftRatios() -> [String: [Float]] {
        var ratios: [String: [Float]] = [:]
        for state in all {
            guard let runningState = state.runningState,
                let drift = runningState.model.drift(of: runningState.head.state), drift.longRun > 0
            else { continue }
            ratios[runningState.version.version.forecaster, default: []].append(drift.lately / drift.longRun)
        }
        return ratios
    }
}

import Basics
import Storage

/// Counts the forecasts that were none, because their model gave numbers that are not finite or far beyond any value, and
/// tells of each model once. For all threads.
final class ForecastFaults: Sendable {
    private struct Content {
        var byForecaster: [String: Int] = [:]
        /// The versions that were told of.
        var told: Set<Int64> = []
    }

    private let content = Locked(Content())
    private let tell: @Sendable (String) -> Void

    init(_ tell: @escaping @Sendable (String) -> Void) { self.tell = tell }

    var byForecaster: [String: Int] { content.withLock { $0.byForecaster } }

    /// - Parameter series: that has no forecast now.
    func note(_ version: ModelVersion, series: String) {
        let isNew = content.withLock { content in
            content.byForecaster[version.forecaster, default: 0] += 1
            return content.told.insert(version.id).inserted
        }
        guard isNew else { return }
        tell(
            "version \(version.number) of \(version.forecaster) (\(version.method)) gave numbers that are no forecast, not "
                + "finite or beyond 1e30, first for \"\(series)\": such forecasts are left out and counted")
    }
}

import Basics
import Storage

/// Counts the unusable forecasts, whose values are not finite or beyond 1e30, and warns once per version; safe to use
/// from any thread.
final class ForecastFaults: Sendable {
    private struct Content {
        var byForecaster: [String: Int] = [:]
        /// The versions that were reported.
        var told: Set<Int64> = []
    }

    private let content = Locked(Content())
    private let tell: @Sendable (String) -> Void

    init(_ tell: @escaping @Sendable (String) -> Void) { self.tell = tell }

    var byForecaster: [String: Int] { content.withLock { $0.byForecaster } }

    /// - Parameter series: the name of the series that has no forecast.
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

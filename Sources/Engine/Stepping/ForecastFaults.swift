import Basics
import Storage

/// Counts the unusable forecasts, whose values are not finite or beyond 1e30, and warns once per version; safe to use
/// from any thread.
final class ForecastFaults: Sendable {
    private struct Content {
        var byForecaster: [String: Int] = [:]
        /// The versions that were reported.
        var reported: Set<Int64> = []
    }

    private let content = Locked(Content())
    private let warn: @Sendable (String) -> Void

    init(_ warn: @escaping @Sendable (String) -> Void) { self.warn = warn }

    var byForecaster: [String: Int] { content.withLock { $0.byForecaster } }

    /// - Parameter series: the name of the series that has no forecast.
    func record(_ version: ModelVersion, series: String) {
        let isNew = content.withLock { content in
            content.byForecaster[version.forecaster, default: 0] += 1
            return content.reported.insert(version.id).inserted
        }
        guard isNew else { return }
        warn(
            "version \(version.number) of \(version.forecaster) (\(version.method)) gave numbers that are no forecast, not "
                + "finite or beyond 1e30, first for \"\(series)\": such forecasts are left out and counted")
    }
}

import ControlInterface
import Foundation
import Synchronization
import TestSupport
import Varlink

/// Watches a daemon as long as it lives, and keeps the newest event of each kind.
final class EventWatcher: Sendable {
    private struct Seen {
        var forecasts: [String: Forecast] = [:]
        /// By series, the version that began to serve it.
        var versions: [String: Int] = [:]
        var dropped: [String] = []
    }

    private let seen = Mutex(Seen())

    /// Returns when the daemon has answered, so that nothing is missed that comes after.
    init(_ daemon: Daemon) throws {
        Thread.detachNewThread { [weak self, socket = daemon.socket] in
            guard let client = try? VarlinkClient(path: socket) else { return }
            try? client.stream(
                Control.qualified("Watch"), Control.Watch.Request(), as: Control.Watch.Reply.self
            ) { event in
                self?.take(event)
                return self != nil
            }
        }
        try wait(until: "the daemon has a watcher") {
            let status: Control.GetStatus.Reply = try daemon.call("GetStatus")
            return status.watchers > 0
        }
    }

    private func take(_ event: Control.Watch.Reply) {
        seen.withLock { seen in
            if let forecast = event.forecast { seen.forecasts[forecast.series] = forecast }
            if let text = event.model, let (series, version) = Self.parts(text) { seen.versions[series] = version }
            if let text = event.dropped { seen.dropped.append(text) }
        }
    }

    /// Of "SERIES: FORECASTER version N, REASON".
    private static func parts(_ text: String) -> (series: String, version: Int)? {
        guard let match = text.firstMatch(of: /^(.*?): \S+ version (\d+),/), let version = Int(match.2) else {
            return nil
        }
        return (String(match.1), version)
    }

    var dropped: [String] { seen.withLock { $0.dropped } }

    /// What it was told last of a series.
    func newest(_ series: String) -> (forecast: Forecast?, version: Int?) {
        seen.withLock { ($0.forecasts[series], $0.versions[series]) }
    }
}

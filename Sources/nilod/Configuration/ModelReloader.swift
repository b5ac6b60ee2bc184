import Engine
import Logging
import PluginHost

/// Tries again to load models that could not be loaded, such as those of a plugin that was broken when nilod started, and
/// lets them serve the series that others have had in their place.
struct ModelReloader: Sendable {
    let engine: Engine
    let log: Logger

    /// How often it is looked whether there are any.
    private static let interval = Duration.seconds(10)

    /// Until the task is cancelled.
    func run() async throws {
        var backoff = Backoff()
        while true {
            guard engine.isMissingModels else {
                backoff.reset()
                try await Task.sleep(for: Self.interval)
                continue
            }
            try await Task.sleep(for: .seconds(backoff.next()))
            do {
                let count = try await engine.retryModels()
                if count > 0 {
                    log.notice("models that could not be loaded can be now: \(count) series have come to them")
                }
            } catch {
                log.warning("models that could not be loaded: \(error)")
            }
        }
    }
}

import Engine

/// Reads the configuration again and gives it to the engine, without losing state.
struct Reloader: Sendable {
    let options: SettingsOptions
    let engine: Engine
    let log: Log

    /// - Returns: what a person should know.
    @Sendable
    func reload() async throws -> String {
        let settings = try options.load()
        let changed = try await engine.reload(settings.engine)
        return "configuration reloaded: \(changed) series changed their forecaster; sources and sockets need a restart"
    }
}

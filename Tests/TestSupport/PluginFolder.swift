import Foundation

extension TemporaryFolder {
    /// The line of a configuration that names where ``writePlugin(_:manifest:)`` writes.
    public var pluginPath: String { "plugin_path = [\"\(path("plugins"))\"]" }

    /// Writes the manifest of a plugin.
    ///
    /// - Returns: its folder.
    @discardableResult
    public func writePlugin(_ name: String, manifest: String) throws -> String {
        let plugin = url.appending(path: "plugins/\(name)")
        try FileManager.default.createDirectory(at: plugin, withIntermediateDirectories: true)
        try manifest.write(to: plugin.appending(path: "plugin.toml"), atomically: true, encoding: .utf8)
        return plugin.path
    }

    /// Writes the manifest of the plugin `faulty`, which forecasts the last value.
    ///
    /// - Parameters:
    ///   - fault: what it does wrong at its so-many-th `call`; the first is the trial of the start.
    ///   - guardian: words of a shell before it starts, such as a test that ends it.
    ///   - more: more lines of the manifest.
    public func writeFaultyPlugin(
        _ fault: String = "none", call: Int = 8, guardian: String = "", _ more: String = "deadline = \"5s\""
    ) throws {
        // The folder's path marks whatever it starts.
        let program = "\(guardian)exec '\(ChildProcess.path(of: "FaultyPlugin"))' \(fault) \(call) '\(url.path)'"
        try writePlugin(
            "faulty",
            manifest: """
                contract = 1
                name = "faulty"
                version = "1"
                command = ["sh", "-c", "\(program)"]
                \(more)
                """)
    }
}

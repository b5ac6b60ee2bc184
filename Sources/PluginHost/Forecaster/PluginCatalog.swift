public import Forecasting

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The plugins that were found, each with its process. Safe to use from any thread.
public final class PluginCatalog: Sendable {
    /// The methods that the usable plugins provide.
    public let methods: [any ForecastingMethod]
    private let supervisors: [PluginSupervisor]
    private let refused: [PluginReport]

    /// Starts no process: a plugin's process starts with its first model.
    ///
    /// - Parameters:
    ///   - launcher: the path of `nilod`.
    ///   - folder: a folder of the daemon through which weights are exchanged.
    ///   - log: called with a plugin's name and a line about it or from it.
    public init(
        _ found: [FoundPlugin], launcher: String, folder: String, log: @escaping @Sendable (String, String) -> Void
    ) {
        let files = PluginFiles(folder: URL(filePath: folder))
        var (methods, supervisors, refused): ([any ForecastingMethod], [PluginSupervisor], [PluginReport]) = (
            [], [], []
        )
        for plugin in found {
            switch plugin {
            case .refused(let name, let folder, let reason):
                var counts = PluginCounts()
                counts.lastError = reason
                refused.append(
                    PluginReport(
                        name: name, version: nil, folder: folder, state: "refused", pid: nil, models: 0,
                        counts: counts))
            case .usable(let manifest):
                let say: @Sendable (String) -> Void = { log(manifest.manifest.name, $0) }
                let supervisor = PluginSupervisor(manifest, launcher: launcher, log: say)
                let method = PluginMethod(supervisor: supervisor, files: files)
                supervisors.append(supervisor)
                methods.append(
                    manifest.isTrainable
                        ? TrainablePluginMethod(method: method, launcher: launcher, log: say) : method)
            }
        }
        (self.methods, self.supervisors, self.refused) = (methods, supervisors, refused)
    }

    /// The state of each plugin, sorted by name.
    public var reports: [PluginReport] { (supervisors.map(\.report) + refused).sorted { $0.name < $1.name } }

    /// Ends every process, and waits until they are gone.
    public func stop() { for supervisor in supervisors { supervisor.stop() } }
}

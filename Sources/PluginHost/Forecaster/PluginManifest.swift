public import Forecasting

/// A plugin folder's `plugin.toml`, checked.
public struct PluginManifest: Sendable {
    /// Name, version, summary and parameters, as for a built-in method.
    public var manifest: Manifest
    /// The program and its arguments. A program with a slash in its name is relative to the folder.
    public var command: [String]
    public var folder: String
    /// Whether it implements `Train`.
    public var isTrainable: Bool
    /// How long one `Advance` may take.
    public var deadline: Duration
    /// How long it may take to start, and to load a model.
    public var startup: Duration
    public var limits: ChildLimits

    public init(
        manifest: Manifest, command: [String], folder: String, isTrainable: Bool,
        deadline: Duration = .milliseconds(500), startup: Duration = .seconds(30), limits: ChildLimits = ChildLimits()
    ) {
        (self.manifest, self.command, self.folder, self.isTrainable) = (manifest, command, folder, isTrainable)
        (self.deadline, self.startup, self.limits) = (deadline, startup, limits)
    }

    func command(launcher: String) -> ChildCommand {
        ChildCommand(launcher: launcher, command: command, directory: folder, limits: limits)
    }
}

/// A plugin that was found in a folder of plugins.
public enum FoundPlugin: Sendable {
    case usable(PluginManifest)
    /// Its manifest cannot be used; the name is that of the folder.
    case refused(name: String, folder: String, reason: String)
}

/// Counters of a plugin since the daemon started.
public struct PluginCounts: Sendable, Hashable {
    /// Calls of `Advance`.
    public var calls = 0
    /// Steps of a series that had no answer.
    public var absent = 0
    /// Failures after which its process is restarted.
    public var restarts = 0
    public var lastError: String?
}

/// The state of a plugin.
public struct PluginReport: Sendable {
    public var name: String
    public var version: String?
    public var folder: String
    /// One of ready, idle, starting, waiting, stopped or refused.
    public var state: String
    /// The process id of the launcher, whose child is the plugin.
    public var pid: Int32?
    public var models: Int
    public var counts: PluginCounts
}

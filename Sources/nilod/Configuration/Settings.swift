import Engine
import Feeding
import Glibc
import LineProtocol
import Logging
import PluginHost
import TimeSeries

/// All that the configuration file says, with defaults for what it does not.
struct Settings: Sendable {
    struct Source: Sendable {
        enum Kind: Sendable {
            case host(interval: Duration)
            case stream(ListenAddress, Precision)
            case datagram(ListenAddress, Precision)
            case http(ListenAddress)
            case exec([String], Precision)
        }

        var kind: Kind
        /// File and line, for people.
        var location: String

        /// Whether others send to it.
        var isListener: Bool {
            switch kind {
            case .stream, .datagram, .http: true
            case .host, .exec: false
            }
        }
    }

    /// Where forecasts, anomalies and model events go, as JSON lines.
    struct Sink: Sendable {
        enum Target: Sendable {
            case exec([String])
            case file(String)
        }

        var target: Target
        var selector: SeriesSelector
        var events: Set<EngineEvent.Kind>
        /// nil: named after its target.
        var name: String?
    }

    var stateDirectory = Self.defaultStateDirectory
    var socket = Self.defaultSocket
    var logLevel = Logger.Level.notice
    /// Members of this group may change things, beside the owner and root; nil for nobody else.
    var group: String?
    var timeZone = "UTC"
    var sources: [Source] = []
    var sinks: [Sink] = []
    /// Where plugins are looked for, and what was found there.
    var pluginFolders = PluginReader.defaultFolders
    var plugins = PluginReader.find(in: PluginReader.defaultFolders)
    var engine = EngineConfiguration(forecasters: [])
    /// In bytes: what all messages that have not ended may hold together.
    var unfinishedLimit = 64 << 20
    /// Printed at the start: what a newcomer may try.
    var hints = false

    static func environment(_ name: String) -> String? {
        guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else { return nil }
        return value
    }

    /// A thread that steps series for each core. Two were measured to pay; beyond four nobody has looked.
    static var defaultShards: Int { min(4, max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))) }

    private static var home: String { environment("HOME") ?? "/" }

    /// The file that is read when none is named: the system's, else the user's; nil if there is neither.
    static var defaultFile: String? {
        let user = (environment("XDG_CONFIG_HOME") ?? home + "/.config") + "/nilometer/nilod.toml"
        return (getuid() == 0 ? ["/etc/nilometer/nilod.toml"] : [user, "/etc/nilometer/nilod.toml"])
            .first { access($0, R_OK) == 0 }
    }

    private static var defaultStateDirectory: String {
        getuid() == 0 ? "/var/lib/nilometer" : (environment("XDG_STATE_HOME") ?? home + "/.local/state") + "/nilometer"
    }

    private static var defaultSocket: String {
        getuid() == 0
            ? "/run/nilometer/nilod.sock" : (environment("XDG_RUNTIME_DIR") ?? "/tmp") + "/nilometer/nilod.sock"
    }
}

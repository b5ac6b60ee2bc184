import Glibc
import Logging
import TimeSeries

/// Writes log lines to standard error, with a priority in front when systemd's journal reads them (sd-daemon(3)).
///
/// Names of series, errors and what children print come from outside: every line is made visible here. Metadata follows
/// the text as `key=value`.
struct StandardErrorHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    private static let isUnderSystemd = getenv("JOURNAL_STREAM") != nil

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let text = ([event.message.description] + all.map { "\($0)=\($1)" }).joined(separator: " ")
        Console.draw((Self.isUnderSystemd ? "<\(event.level.priority)>" : "") + text.visibleLine + "\n")
    }
}

extension Logger.Level {
    /// Of syslog(3).
    fileprivate var priority: Int {
        switch self {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }
}

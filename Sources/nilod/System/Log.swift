import Glibc
import TimeSeries

/// Lines on standard error; with a priority in front when systemd's journal reads them (sd-daemon(3)).
///
/// Names of series, errors and what children say come from outside: every line is made visible here.
struct Log: Sendable {
    enum Level: Int, Sendable, CaseIterable {
        case error = 3
        case warning = 4
        case notice = 5
        case info = 6
        case debug = 7

        init?(_ name: String) {
            guard let level = Self.allCases.first(where: { "\($0)" == name }) else { return nil }
            self = level
        }
    }

    let minimum: Level
    private static let isUnderSystemd = getenv("JOURNAL_STREAM") != nil

    /// Something a person has to do something about.
    func error(_ text: String) { write(.error, text) }
    /// Something that may need a person soon.
    func warning(_ text: String) { write(.warning, text) }
    /// What an operator wants to know: started, promoted, stopped.
    func notice(_ text: String) { write(.notice, text) }
    /// What happened in detail.
    func info(_ text: String) { write(.info, text) }

    private func write(_ level: Level, _ text: String) {
        guard level.rawValue <= minimum.rawValue else { return }
        Self.write((Self.isUnderSystemd ? "<\(level.rawValue)>" : "") + text.visibleLine)
    }

    /// Lines of any kind.
    static func write(_ text: String) { put(text.visible + "\n") }

    /// Lines on standard output, for a command that somebody waits for.
    static func print(_ text: String) { Swift.print(text.visible) }

    /// Draws as it is, without a new line after it.
    static func put(_ text: String) {
        _ = text.withCString { Glibc.write(2, $0, strlen($0)) }
    }
}

import Glibc

/// The size of the terminal, and whether it supports colours.
struct Terminal: Equatable {
    var columns = 80
    var rows = 24

    /// The size of the terminal on standard output; without one, `COLUMNS` or 80 columns.
    static var current: Terminal {
        var size = winsize()
        if ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 {
            return Terminal(columns: Int(size.ws_col), rows: Int(size.ws_row))
        }
        return Terminal(columns: environment("COLUMNS").flatMap { Int($0) } ?? 80)
    }

    /// False with NO_COLOR (https://no-color.org) and on dumb terminals.
    static var supportsColours: Bool {
        isatty(1) == 1 && environment("NO_COLOR") == nil && environment("TERM") ?? "dumb" != "dumb"
    }
}

/// An environment variable; nil if it is unset or empty.
func environment(_ name: String) -> String? {
    guard let value = getenv(name).map({ String(cString: $0) }), !value.isEmpty else { return nil }
    return value
}

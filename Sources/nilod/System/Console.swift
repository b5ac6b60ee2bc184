import Glibc
import TimeSeries

/// What a command says to whoever started it; text from outside is made visible.
enum Console {
    /// Lines on standard output.
    static func print(_ text: String) { Swift.print(text.visible) }

    /// Lines on standard error.
    static func complain(_ text: String) { draw(text.visible + "\n") }

    /// Draws on standard error as it is, without a new line after it.
    static func draw(_ text: String) {
        _ = text.withCString { Glibc.write(2, $0, strlen($0)) }
    }
}

import ArgumentParser
import Glibc
import TimeSeries

enum Exit {
    static func say(_ text: String, _ code: Int32) -> ExitCode {
        Output.complain("niloctl: \(text)\n")
        return ExitCode(code)
    }
}

/// Standard output and standard error, unbuffered, so that output is never delayed.
///
/// Names of series, replies of the daemon and output of plugins are untrusted: control characters in everything that is
/// printed are escaped here. Only ``draw(_:on:)`` bypasses that.
enum Output {
    static func print(_ text: String) { write(1, text.visible) }
    static func complain(_ text: String) { write(2, text.visible) }
    /// Writes a drawing or terminal control sequences. Untrusted text in it must have been escaped.
    static func draw(_ picture: String, on descriptor: Int32 = 1) { write(descriptor, picture) }
    static var isTerminal: Bool { isatty(1) == 1 }

    private static func write(_ descriptor: Int32, _ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            // A reader that closes the pipe early (`| head`) is not an error.
            guard count > 0 else { exit(0) }
            bytes = bytes.dropFirst(count)
        }
    }
}

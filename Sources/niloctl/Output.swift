import ArgumentParser
import Glibc
import TimeSeries

enum Exit {
    static func say(_ text: String, _ code: Int32) -> ExitCode {
        Output.complain("niloctl: \(text)\n")
        return ExitCode(code)
    }
}

/// The two streams, unbuffered: what a person sees is never late.
///
/// Names of series, answers of the daemon and what plugins say come from outside: everything that is printed is made
/// visible here. Only what this program draws itself goes past that.
enum Output {
    static func print(_ text: String) { write(1, text.visible) }
    static func complain(_ text: String) { write(2, text.visible) }
    /// Writes a picture or a moved cursor. A text from outside that is part of it has been made visible.
    static func draw(_ picture: String, on descriptor: Int32 = 1) { write(descriptor, picture) }
    static var isTerminal: Bool { isatty(1) == 1 }
    static var isComplaintTerminal: Bool { isatty(2) == 1 }

    private static func write(_ descriptor: Int32, _ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            // A reader that has seen enough (`| head`) is no error.
            guard count > 0 else { exit(0) }
            bytes = bytes.dropFirst(count)
        }
    }
}

import ArgumentParser
import Glibc
import Listening
import Storage

/// This program, for children that are this program too.
enum Executable {
    static let own = "/proc/self/exe"
}

/// Exit codes are those of sysexits.h, so that scripts and systemd can tell what to do.
enum Exit {
    /// Says `text` on standard error and ends with `code`.
    static func say(_ text: String, _ code: Int32) -> ExitCode {
        Console.complain("nilod: \(text)")
        return ExitCode(code)
    }

    /// A file that cannot be read, with what `errno` says.
    static func unreadable(_ path: String) -> ExitCode {
        say("cannot read \(path): \(String(cString: strerror(errno)))", Int32(66))
    }

    /// - Parameter subject: what it is about, in front of the error.
    static func forStart(_ error: any Error, of subject: String = "") -> any Error {
        switch error {
        case is ExitCode: error
        case StorageError.lockedBy: say("\(subject)\(error)", Int32(75))
        case StorageError.newerSchema, StorageError.notOurs: say("\(subject)\(error)", Int32(78))
        case SocketFileError.inUse: say("\(subject)\(error)", Int32(75))
        case SocketFileError.pathTooLong, SocketFileError.notAPath, SocketFileError.notASocket:
            say("\(subject)\(error)", Int32(78))
        case is SocketFileError: say("\(subject)\(error)", Int32(73))
        case is StorageError: say("\(subject)\(error)", Int32(74))
        default: say("\(subject)\(error)", Int32(70))
        }
    }
}

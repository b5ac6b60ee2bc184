import ArgumentParser
import Glibc

/// Folders among the temporary files, of a name that nobody can have taken before.
enum ScratchFolder {
    /// - Throws: ``ExitCode``.
    static func make(_ name: String) throws -> String {
        var template = Array("\(Settings.environment("TMPDIR") ?? "/tmp")/\(name)-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw Exit.say("cannot make a temporary folder: \(String(cString: strerror(errno))); set TMPDIR", 73)
        }
        return String(cString: made)
    }
}

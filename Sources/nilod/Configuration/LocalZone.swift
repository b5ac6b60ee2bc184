import Engine
import Glibc

/// The time zone of calendar features, read from the system's time zone files.
enum LocalZone {
    /// TZDIR is the C library's word for another place, tzset(3).
    private static let folder = (Settings.environment("TZDIR") ?? "/usr/share/zoneinfo") + "/"

    /// Changes nothing in the process, so that a configuration that is refused later has had no effect.
    ///
    /// - Returns: nil for a zone this machine does not know.
    static func calendar(_ name: String) -> LocalCalendar? {
        guard name != "UTC" else { return .utc }
        // Names from outside are no paths.
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isName = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { isNameByte($0) } && part.first != "."
        }
        guard isName, let bytes = read(folder + name), let rules = ZoneRules(bytes) else { return nil }
        return LocalCalendar(name: name) { rules.offset(at: $0) }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// No zone file is longer than a few kilobytes.
    private static let sizeLimit = 1 << 20

    private static func read(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var (bytes, buffer): ([UInt8], [UInt8]) = ([], [UInt8](repeating: 0, count: 65_536))
        while bytes.count < sizeLimit {
            let count = Glibc.read(file, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return bytes
    }
}

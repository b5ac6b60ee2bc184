import Engine
import Glibc

/// The time zone of calendar features, through the C library's time zone files.
enum LocalZone {
    /// - Returns: nil for a zone this machine does not know.
    static func calendar(_ name: String) -> LocalCalendar? {
        guard name != "UTC" else { return .utc }
        guard !name.contains(".."), access("/usr/share/zoneinfo/\(name)", R_OK) == 0 else { return nil }
        // One process, one zone: localtime_r reads it from the environment. Set before any thread asks.
        setenv("TZ", name, 1)
        tzset()
        return LocalCalendar { seconds in
            var time = time_t(seconds)
            var local = tm()
            localtime_r(&time, &local)
            return Int32(local.tm_gmtoff)
        }
    }
}

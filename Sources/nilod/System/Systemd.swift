import Glibc

/// What systemd hands to a service and hears from it, without its library: sd_notify(3), sd_listen_fds(3).
enum Systemd {
    /// Tells the service manager, if there is one: `READY=1`, `STATUS=…`, `WATCHDOG=1`, `STOPPING=1`.
    static func notify(_ message: String) {
        guard let path = environment("NOTIFY_SOCKET"), !path.isEmpty else { return }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        // A leading @ stands for a socket without a file.
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let bytes = Array(message.utf8)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, length)
            }
        }
    }

    /// The listening socket that systemd opened for us; nil without socket activation.
    static var activatedSocket: Int32? {
        guard environment("LISTEN_PID") == "\(getpid())", let count = environment("LISTEN_FDS").flatMap({ Int($0) }),
            count >= 1
        else { return nil }
        return 3
    }

    /// How often the watchdog wants to be fed, with room to spare; nil when it is off.
    static var watchdogInterval: Duration? {
        environment("WATCHDOG_USEC").flatMap { Int64($0) }.map { .microseconds($0 / 3) }
    }

    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}

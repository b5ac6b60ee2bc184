import Glibc

/// The socket on which a service tells systemd that it is ready: sd_notify(3).
final class NotificationSocket {
    let path: String
    private let descriptor: Int32

    init(path: String) throws {
        self.path = path
        unlink(path)
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0 else { throw TestError("cannot bind \(path): \(String(cString: strerror(errno)))") }
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    /// Waits for `READY=1`; false if the process ends before it says so, or says nothing for three minutes.
    func waitForReady(of process: ChildProcess) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let end = ContinuousClock.now + .seconds(180)
        while true {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // The pause only bounds how late a death is noticed.
            guard poll(&ready, 1, 50) > 0 else {
                if process.hasEnded || ContinuousClock.now > end { return false }
                continue
            }
            let count = recv(descriptor, &buffer, buffer.count, 0)
            let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
            if text.split(separator: "\n").contains("READY=1") { return true }
        }
    }
}

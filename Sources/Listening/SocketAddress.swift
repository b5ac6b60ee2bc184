import Glibc

/// The address of a Unix socket (unix(7)).
struct SocketAddress: Sendable {
    let path: String
    private let address: sockaddr_un

    static let maximumPathLength = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// - Throws: ``SocketFileError`` if the path is not valid for a socket.
    init(_ path: String) throws(SocketFileError) {
        let bytes = Array(path.utf8)
        // An empty path, or one that begins with NUL, would be a socket without a file.
        guard !bytes.isEmpty, !bytes.contains(0) else { throw .notAPath(path) }
        guard bytes.count <= Self.maximumPathLength else {
            throw .pathTooLong(path, bytes: bytes.count, limit: Self.maximumPathLength)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        (self.path, self.address) = (path, address)
    }

    /// Creates a non-blocking socket.
    func open(_ kind: SocketFile.Kind) throws(SocketFileError) -> Int32 {
        let type = kind == .stream ? SOCK_STREAM : SOCK_DGRAM
        let flags = Int32(type.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, flags, 0)
        guard descriptor >= 0 else { throw failure("socket") }
        return descriptor
    }

    func with<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// The error of the system call that just failed.
    func failure(_ call: String) -> SocketFileError { .system(call: call, path: path, code: errno) }
}

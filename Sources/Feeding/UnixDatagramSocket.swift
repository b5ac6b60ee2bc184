import Dispatch
import Glibc

/// A Unix datagram socket that takes from senders without a name of their own, which most are.
///
/// NIO's datagram channel closes when such a sender comes, because its envelope needs an address to answer to.
final class UnixDatagramSocket: Sendable {
    // Dispatch objects are safe for all threads (dispatch(3)); the overlay does not say so on Linux.
    nonisolated(unsafe) private let source: any DispatchSourceRead
    private static let largestDatagram = 262_144

    /// - Parameter take: called on one queue, in order.
    init(path: String, take: @escaping @Sendable (UnsafeBufferPointer<UInt8>) -> Void) throws(FeedingError) {
        let descriptor = try Self.bound(to: path)
        source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor, queue: DispatchQueue(label: "org.nilometer.datagrams"))
        source.setEventHandler {
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.largestDatagram) { buffer in
                while case let count = recv(descriptor, buffer.baseAddress, buffer.count, 0), count >= 0 {
                    take(UnsafeBufferPointer(rebasing: buffer[..<count]))
                }
            }
        }
        source.setCancelHandler {
            close(descriptor)
            unlink(path)
        }
        source.activate()
    }

    func cancel() { source.cancel() }

    private static func bound(to path: String) throws(FeedingError) -> Int32 {
        func failure(_ call: String) -> FeedingError {
            .system(call: call, address: .unix(path: path), code: errno)
        }
        var address = sockaddr_un()
        let limit = MemoryLayout.size(ofValue: address.sun_path) - 1
        guard path.utf8.count <= limit else { throw .pathTooLong(path, limit: limit) }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw failure("socket") }
        removeSocket(path)
        let result = withUnsafeBytes(of: &address) { bytes in
            Glibc.bind(
                descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        guard result == 0 else {
            let error = failure("bind")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// What an earlier run left behind; never a file that is no socket.
    private static func removeSocket(_ path: String) {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK { unlink(path) }
    }
}

import Dispatch
import Glibc
import Listening

/// A Unix datagram socket that takes from senders without a name of their own, which most are.
///
/// NIO's datagram channel closes when such a sender comes, because its envelope needs an address to answer to.
final class UnixDatagramSocket: Sendable {
    // Dispatch objects are safe for all threads (dispatch(3)); the overlay does not say so on Linux.
    nonisolated(unsafe) private let source: any DispatchSourceRead
    private static let largestDatagram = 262_144

    /// - Parameter take: called on one queue, in order.
    /// - Throws: ``SocketFileError``.
    init(path: String, take: @escaping @Sendable (UnsafeBufferPointer<UInt8>) -> Void) throws(SocketFileError) {
        let file = try SocketFile(path: path, .datagram)
        let descriptor = file.descriptor
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
            file.remove()
        }
        source.activate()
    }

    func cancel() { source.cancel() }
}

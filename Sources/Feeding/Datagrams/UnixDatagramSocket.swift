import Dispatch
import Glibc
import Listening

/// A Unix datagram socket that accepts senders without an address, as most are.
///
/// NIO's datagram channel closes when such a sender appears, because its envelope needs an address to reply to.
final class UnixDatagramSocket: Sendable {
    // Dispatch objects are thread-safe (dispatch(3)); the Swift overlay does not declare it on Linux.
    nonisolated(unsafe) private let source: any DispatchSourceRead
    private static let largestDatagram = 262_144

    /// - Parameter receive: called with each datagram on one queue, in order.
    /// - Throws: ``SocketFileError``.
    init(path: String, receive: @escaping @Sendable (UnsafeBufferPointer<UInt8>) -> Void) throws(SocketFileError) {
        let file = try SocketFile(path: path, .datagram)
        let descriptor = file.descriptor
        source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor, queue: DispatchQueue(label: "org.nilometer.datagrams"))
        source.setEventHandler {
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.largestDatagram) { buffer in
                while case let count = recv(descriptor, buffer.baseAddress, buffer.count, 0), count >= 0 {
                    receive(UnsafeBufferPointer(rebasing: buffer[..<count]))
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

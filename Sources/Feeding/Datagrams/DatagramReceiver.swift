import LineProtocol
import Synchronization

/// Decodes each datagram by itself, so that an open quote in one cannot reach the next.
final class DatagramReceiver: Sendable {
    private let intake: Mutex<LineIntake>
    private let take: @Sendable (DecodedBatch) -> Void

    init(_ intake: LineIntake, _ take: @escaping @Sendable (DecodedBatch) -> Void) {
        self.intake = Mutex(intake)
        self.take = take
    }

    func receive(_ bytes: UnsafeBufferPointer<UInt8>) {
        take(intake.withLock { $0.decode(bytes, isWhole: true) })
    }
}

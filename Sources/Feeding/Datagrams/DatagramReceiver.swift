import Basics
import LineProtocol

/// Decodes each datagram separately, so that an open quote in one cannot extend into the next.
final class DatagramReceiver: Sendable {
    private let intake: Locked<LineIntake>
    private let deliver: @Sendable (DecodedBatch) -> Void

    init(_ intake: LineIntake, _ deliver: @escaping @Sendable (DecodedBatch) -> Void) {
        self.intake = Locked(intake)
        self.deliver = deliver
    }

    func receive(_ bytes: UnsafeBufferPointer<UInt8>) {
        deliver(intake.withLock { $0.decode(bytes, isWhole: true) })
    }
}

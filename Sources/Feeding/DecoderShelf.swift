import LineProtocol
import Synchronization

/// Decoders that wait for their next sender.
///
/// Senders often connect anew for each request, and send the same series again. A decoder that knows them finds a name
/// by its bytes; a new one has to make every name first.
final class DecoderShelf: Sendable {
    private let decoders = Mutex<[ReadingDecoder]>([])
    /// Each may remember 16 MiB of names.
    private static let places = 2

    /// The decoder that was put here last: its tables are still in the caches.
    func take() -> ReadingDecoder { decoders.withLock { $0.popLast() } ?? ReadingDecoder() }

    func giveBack(_ decoder: ReadingDecoder) {
        decoders.withLock { decoders in
            if decoders.count < Self.places { decoders.append(decoder) }
        }
    }
}

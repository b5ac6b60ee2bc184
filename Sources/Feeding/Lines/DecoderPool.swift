import LineProtocol
import Synchronization

/// Decoders that wait for their next sender.
///
/// Senders often connect anew for each request, and send the same series again. A decoder that knows them finds a name
/// by its bytes; a new one has to make every name first.
final class DecoderPool: Sendable {
    private let decoders = Mutex<[ReadingDecoder]>([])
    private static let places = 32
    /// What all of them may remember together.
    private static let maximumBytes = 33_554_432

    /// The decoder that knows the first series of `text`; if there is none, the one that was put here last, because
    /// senders of a line each shall not need one each.
    func take(for text: UnsafeBufferPointer<UInt8>) -> ReadingDecoder {
        decoders.withLock { decoders in
            guard let place = decoders.lastIndex(where: { $0.knowsFirst(of: text) }) else { return decoders.popLast() }
            return decoders.remove(at: place)
        } ?? ReadingDecoder()
    }

    /// Takes a decoder back; those that wait longest make room.
    func giveBack(_ decoder: ReadingDecoder) {
        decoders.withLock { decoders in
            decoders.append(decoder)
            var bytes = decoders.reduce(0) { $0 + $1.rememberedBytes }
            while decoders.count > Self.places || bytes > Self.maximumBytes {
                bytes -= decoders.removeFirst().rememberedBytes
            }
        }
    }
}

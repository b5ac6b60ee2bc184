import Basics
import LineProtocol

/// A pool of decoders that are not in use.
///
/// Senders often reconnect for each request and send the same series again. A decoder that knows them finds a series by
/// the bytes of its name; a new one must parse every name first.
final class DecoderPool: Sendable {
    private let decoders = Locked<[ReadingDecoder]>([])
    private static let capacity = 32
    /// The limit on the memory of all of them together, in bytes.
    private static let maximumBytes = 33_554_432

    /// Removes and returns the decoder that knows the first series of `text`; if there is none, the one that was
    /// returned last, so that many senders of one line each do not need a decoder each; if the pool is empty, a new
    /// one.
    func checkOut(for text: UnsafeBufferPointer<UInt8>) -> ReadingDecoder {
        decoders.withLock { decoders in
            guard let index = decoders.lastIndex(where: { $0.knowsFirst(of: text) }) else { return decoders.popLast() }
            return decoders.remove(at: index)
        } ?? ReadingDecoder()
    }

    /// Returns a decoder to the pool; those that have been unused longest are dropped if there are too many.
    func checkIn(_ decoder: ReadingDecoder) {
        decoders.withLock { decoders in
            decoders.append(decoder)
            var bytes = decoders.reduce(0) { $0 + $1.rememberedBytes }
            while decoders.count > Self.capacity || bytes > Self.maximumBytes {
                bytes -= decoders.removeFirst().rememberedBytes
            }
        }
    }
}

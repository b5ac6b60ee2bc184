import CInflate
import NIOCore

/// Why a body is refused.
enum RequestBodyError: Error, Equatable {
    case tooLarge
    case broken
}

/// Collects a request's body piece by piece, and inflates it if it is compressed.
///
/// A gzip body may have several members (RFC 1952, 2.2), as `cat a.gz b.gz` makes them.
///
/// The size is limited before and after inflation: a kilobyte may inflate to a megabyte, and a megabyte to nothing.
final class RequestBody {
    private(set) var bytes = ByteBuffer()
    private let coding: ContentCoding
    private let limit: Int
    private var rawCount = 0
    private let inflater: OpaquePointer?
    /// Whether it is between two streams, with none unfinished.
    private var isAtEnd = true
    private var streams = 0

    private static let outputSize = 65_536

    /// - Parameter limit: in bytes, both as received and inflated.
    init(_ coding: ContentCoding, limit: Int) throws(RequestBodyError) {
        (self.coding, self.limit) = (coding, limit)
        inflater =
            switch coding {
            case .identity: nil
            case .gzip: inflater_make(31)
            case .deflate: inflater_make(15)
            }
        guard coding == .identity || inflater != nil else { throw .broken }
    }

    deinit { if let inflater { inflater_free(inflater) } }

    func append(_ piece: ByteBuffer) throws(RequestBodyError) {
        var piece = piece
        rawCount += piece.readableBytes
        guard rawCount <= limit else { throw .tooLarge }
        guard let inflater else {
            bytes.writeBuffer(&piece)
            return
        }
        while piece.readableBytes > 0 {
            if isAtEnd { try beginStream(inflater) }
            try inflate(inflater, &piece)
        }
    }

    /// Marks the end of the body.
    ///
    /// - Throws: ``RequestBodyError/broken`` if a stream is incomplete.
    func end() throws(RequestBodyError) { guard isAtEnd else { throw .broken } }

    private func beginStream(_ inflater: OpaquePointer) throws(RequestBodyError) {
        guard streams == 0 || coding == .gzip else { throw .broken }
        if streams > 0 { inflater_reset(inflater) }
        (isAtEnd, streams) = (false, streams + 1)
    }

    private func inflate(_ inflater: OpaquePointer, _ piece: inout ByteBuffer) throws(RequestBodyError) {
        var (used, produced) = (piece.readableBytes, Self.outputSize)
        var result = inflater_broken
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.outputSize) { output in
            let output = output.bindMemory(to: UInt8.self)
            piece.withUnsafeReadableBytes { input in
                guard let start = output.baseAddress else { return produced = 0 }
                result = inflater_run(inflater, input.bindMemory(to: UInt8.self).baseAddress, &used, start, &produced)
            }
            return produced
        }
        piece.moveReaderIndex(forwardBy: used)
        guard bytes.readableBytes <= limit else { throw .tooLarge }
        switch result {
        case inflater_ended: isAtEnd = true
        case inflater_continues where used > 0 || produced > 0: break
        default: throw .broken
        }
    }
}

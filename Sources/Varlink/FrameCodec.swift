import NIOCore

/// Cuts the stream at its NUL bytes and adds them on the way out.
struct FrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = [UInt8]

    /// Longer frames are refused before they are buffered whole.
    static let limit = 16 * 1_048_576
    /// How far the buffer was searched, so that a long frame is not searched again with every read.
    private var searched = 0

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        let view = buffer.readableBytesView
        guard let end = view[(view.startIndex + searched)...].firstIndex(of: 0) else {
            searched = view.count
            guard searched <= Self.limit else { throw ConnectionError.malformed("a message is longer than 16 MiB") }
            return .needMoreData
        }
        searched = 0
        let frame = [UInt8](view[view.startIndex..<end])
        buffer.moveReaderIndex(forwardBy: frame.count + 1)
        context.fireChannelRead(wrapInboundOut(frame))
        return .continue
    }

    mutating func decodeLast(context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool) throws
        -> DecodingState
    { try decode(context: context, buffer: &buffer) }
}

struct FrameEncoder: MessageToByteEncoder {
    typealias OutboundIn = [UInt8]

    func encode(data: [UInt8], out: inout ByteBuffer) throws {
        out.writeBytes(data)
        out.writeInteger(UInt8(0))
    }
}

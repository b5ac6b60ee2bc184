internal import NIOCore

/// Splits the stream into frames at NUL bytes.
struct FrameDecoder: ByteToMessageDecoder {
    typealias InboundOut = [UInt8]

    /// How many bytes of the buffer were searched, so that a long frame is not searched again at every read.
    private var searched = 0

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        let view = buffer.readableBytesView
        guard let end = view[(view.startIndex + searched)...].firstIndex(of: 0) else {
            searched = view.count
            guard searched <= FrameLimit.bytes else { throw ConnectionError.tooLong }
            return .needMoreData
        }
        searched = 0
        let frame = [UInt8](view[view.startIndex..<end])
        guard frame.count <= FrameLimit.bytes else { throw ConnectionError.tooLong }
        buffer.moveReaderIndex(forwardBy: frame.count + 1)
        context.fireChannelRead(wrapInboundOut(frame))
        return .continue
    }

    mutating func decodeLast(
        context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
    ) throws -> DecodingState {
        let state = try decode(context: context, buffer: &buffer)
        // An incomplete message at the end of the stream is dropped: a peer that hangs up in the middle is not worth a
        // line in the log.
        if state == .needMoreData { buffer.moveReaderIndex(to: buffer.writerIndex) }
        return state
    }
}

struct FrameEncoder: MessageToByteEncoder {
    typealias OutboundIn = [UInt8]

    func encode(data: [UInt8], out: inout ByteBuffer) throws {
        out.writeBytes(data)
        out.writeInteger(UInt8(0))
    }
}

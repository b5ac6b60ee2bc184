import Glibc
import LineProtocol
import TimeSeries

/// Reads an input in pieces of complete lines, each small enough for one call, with a timestamp on every line.
struct InputPieces {
    struct Piece {
        var text: String
        /// Its byte range in the input.
        var range: Range<Int>
        var firstLine: Int
        /// Whether it is a line that is too long for a call and was skipped.
        var isTooLong = false
    }

    private let descriptor: Int32
    /// nil for CSV, whose lines all have timestamps.
    private let stamper: LineStamper?
    private var pending: [UInt8] = []
    private var isAtEnd = false
    /// The offset in bytes after the pieces returned so far.
    private(set) var offset: Int
    private(set) var line: Int

    private static let size = 524_288
    /// In bytes. Longer lines might not fit into a message, whose JSON may be twice as long.
    static let maximumLineLength = 4_194_304

    /// - Parameters:
    ///   - offset: the position of `descriptor` in the input, in bytes.
    ///   - line: the number of the line there.
    init(_ descriptor: Int32, stamper: LineStamper?, offset: Int, line: Int) {
        (self.descriptor, self.stamper, self.offset, self.line) = (descriptor, stamper, offset, line)
    }

    /// The next lines; nil at the end or after a signal.
    ///
    /// From a pipe, returns what has arrived so far, so that readings are not delayed.
    ///
    /// - Parameters:
    ///   - time: for lines without a timestamp.
    ///   - end: the offset where the piece must end; nil for the end of any line.
    mutating func next(time: Timestamp, end: Int? = nil) -> Piece? {
        while true {
            if pending.count > Self.maximumLineLength,
                pending.prefix(Self.maximumLineLength).firstIndex(of: 0x0A) == nil
            {
                return skipLine()
            }
            let wanted = end.map { $0 - offset } ?? .max
            let isWhole = isAtEnd || pending.count >= wanted
            let bytes = pending.prefix(wanted)
            let (text, consumed, nextLine) = cut(Array(bytes), isWhole: isWhole, time)
            if consumed > 0, isWhole || end == nil {
                defer {
                    pending.removeFirst(consumed)
                    (offset, line) = (offset + consumed, nextLine)
                }
                return Piece(text: text, range: offset..<offset + consumed, firstLine: line)
            }
            guard !isAtEnd, read(upTo: max(Self.size, min(wanted, 2 * pending.count))) else { return nil }
        }
    }

    /// Skips to the end of a line; nil if it was interrupted.
    private mutating func skipLine() -> Piece? {
        let start = offset
        while true {
            if let end = pending.firstIndex(of: 0x0A) {
                pending.removeFirst(end + 1)
                offset += end + 1
                break
            }
            offset += pending.count
            pending.removeAll(keepingCapacity: true)
            if isAtEnd { break }
            guard read(upTo: Self.size) else { return nil }
        }
        defer { line += 1 }
        return Piece(text: "", range: start..<offset, firstLine: line, isTooLong: true)
    }

    private func cut(_ bytes: [UInt8], isWhole: Bool, _ time: Timestamp) -> (String, consumed: Int, nextLine: Int) {
        guard let stamper else {
            let end = isWhole ? bytes.count : (bytes.lastIndex(of: 0x0A) ?? -1) + 1
            let lines = bytes[..<end]
            return (String(decoding: lines, as: UTF8.self), end, line + lines.count { $0 == 0x0A })
        }
        let stamped = bytes.withUnsafeBufferPointer {
            stamper.stamp($0, firstLine: line, isWhole: isWhole, time: time)
        }
        return (String(decoding: stamped.text, as: UTF8.self), stamped.consumed, stamped.nextLine)
    }

    /// Reads up to `count` more bytes; returns false if it was interrupted or failed.
    private mutating func read(upTo count: Int) -> Bool {
        var received = -1
        let piece = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            repeat {
                received = Glibc.read(descriptor, buffer.baseAddress, count)
            } while received < 0 && errno == EINTR && !Interruption.isPending
            initialized = max(0, received)
        }
        pending += piece
        isAtEnd = received <= 0
        return received >= 0
    }
}

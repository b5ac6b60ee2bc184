import Glibc
import LineProtocol
import TimeSeries

/// A text in pieces of whole lines, each small enough for one call, with a timestamp on every line.
struct InputPieces {
    struct Piece {
        var text: String
        /// Where in the input it begins and ends.
        var range: Range<Int>
        var firstLine: Int
        /// It is one line that is too long for a call, and was passed over.
        var isTooLong = false
    }

    private let descriptor: Int32
    /// nil: CSV, whose lines all have timestamps.
    private let stamper: LineStamper?
    private var pending: [UInt8] = []
    private var isAtEnd = false
    /// How far the pieces that were handed out go.
    private(set) var offset: Int
    private(set) var line: Int

    private static let size = 524_288
    /// Longer lines would not fit into a message, whose JSON may be twice as long.
    static let longestLine = 4_194_304

    /// - Parameters:
    ///   - offset: where `descriptor` stands in the input.
    ///   - line: the number of the line there.
    init(_ descriptor: Int32, stamper: LineStamper?, offset: Int, line: Int) {
        (self.descriptor, self.stamper, self.offset, self.line) = (descriptor, stamper, offset, line)
    }

    /// The next lines; nil at the end, or when a signal came.
    ///
    /// From a pipe that is what has come so far, so that a reading waits for no other.
    ///
    /// - Parameters:
    ///   - time: for lines without a timestamp.
    ///   - end: where the piece has to end; nil: where lines end.
    mutating func next(time: Timestamp, end: Int? = nil) -> Piece? {
        while true {
            if pending.count > Self.longestLine, pending.prefix(Self.longestLine).firstIndex(of: 0x0A) == nil {
                return passOver()
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

    /// Reads on to the end of a line without keeping it; nil if it was interrupted.
    private mutating func passOver() -> Piece? {
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

    /// False when it was interrupted.
    private mutating func read(upTo count: Int) -> Bool {
        var found = -1
        let piece = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            repeat {
                found = Glibc.read(descriptor, buffer.baseAddress, count)
            } while found < 0 && errno == EINTR && !Interruption.hasCome
            initialized = max(0, found)
        }
        pending += piece
        isAtEnd = found <= 0
        return found >= 0
    }
}

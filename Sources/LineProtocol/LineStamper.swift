public import TimeSeries

/// Appends a timestamp to every line of line protocol that has none.
///
/// Text that is stamped before it is sent can be sent again without being counted twice.
public struct LineStamper: Sendable {
    /// A text of whole lines, in which every valid line has a timestamp.
    public struct Stamped: Sendable {
        public var text: [UInt8]
        /// The number of bytes of the original text that were processed.
        public var consumed: Int
        /// The number of the line after them.
        public var nextLine: Int
        /// The number of lines that had no timestamp.
        public var count: Int
    }

    private let precision: Precision

    /// - Parameter precision: the unit of the timestamps, both present and added.
    public init(precision: Precision) { self.precision = precision }

    /// Stamps the lines of a chunk of text.
    ///
    /// Malformed lines stay as they are, for the daemon to refuse.
    ///
    /// - Parameters:
    ///   - buffer: the text.
    ///   - firstLine: the number of its first line.
    ///   - isWhole: whether the text ends here. If not, an incomplete entry at the end is left out.
    ///   - time: the timestamp of the first line without one. With nanosecond precision each further line gets a
    ///     timestamp one nanosecond later, so that a series may occur several times in one chunk.
    public func stamp(
        _ buffer: UnsafeBufferPointer<UInt8>, firstLine: Int, isWhole: Bool, time: Timestamp
    ) -> Stamped {
        let end = isWhole ? buffer.count : (buffer.lastIndex(of: Byte.newline) ?? -1) + 1
        let lines = UnsafeBufferPointer(rebasing: buffer[..<end])
        var scanner = LineScanner(Bytes(lines), firstLine: firstLine)
        var stamped = Stamped(text: [], consumed: 0, nextLine: firstLine, count: 0)
        stamped.text.reserveCapacity(end + end / 8)
        while !scanner.isAtEnd {
            do throws(LineProblem) {
                let hasTime = try Self.line(&scanner, precision)
                append(lines[stamped.consumed..<scanner.offset], hasTime ? nil : time, to: &stamped)
            } catch {
                if scanner.isOpenAtEnd, !isWhole { return stamped }
                scanner.skipLine()
                append(lines[stamped.consumed..<scanner.offset], nil, to: &stamped)
            }
            (stamped.consumed, stamped.nextLine) = (scanner.offset, scanner.line)
        }
        return stamped
    }

    /// Skips a line; false if it should have a timestamp and has none. Empty lines and comments need none.
    private static func line(_ scanner: inout LineScanner, _ precision: Precision) throws(LineProblem) -> Bool {
        try scanner.skipEmptyLines()
        guard !scanner.isAtEnd else { return true }
        _ = try scanner.measurement()
        while try scanner.tag() != nil {}
        var after = LineScanner.AfterField.field
        while after == .field {
            _ = try scanner.fieldKey()
            _ = try scanner.value()
            after = try scanner.afterField()
        }
        return after == .timestamp ? try scanner.timestamp(precision) != nil : false
    }

    /// - Parameter time: nil if the line already has a timestamp.
    private func append(_ line: Slice<UnsafeBufferPointer<UInt8>>, _ time: Timestamp?, to stamped: inout Stamped) {
        guard let time else { return stamped.text.append(contentsOf: line) }
        var content = line
        while let last = content.last, last == Byte.newline || last == Byte.carriageReturn { content.removeLast() }
        let step = precision == .nanoseconds ? Int64(stamped.count) : 0
        let stamp = floorDivide(time.nanoseconds, precision.factor) + step
        stamped.text.append(contentsOf: content)
        stamped.text.append(contentsOf: " \(stamp)".utf8)
        stamped.text.append(contentsOf: line[content.endIndex...])
        stamped.count += 1
    }
}

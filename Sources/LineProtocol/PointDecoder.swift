import TimeSeries

/// Decodes line protocol to points with everything a line contains; a malformed line is reported as a problem, and
/// decoding continues with the next line.
///
///     measurement[,tag=value…] field=value[,field=value…] [timestamp]
///
/// Tags and fields keep their order in the line. ``ReadingDecoder`` is the fast path to readings.
public struct PointDecoder {
    private let precision: Precision

    public init(precision: Precision = .nanoseconds) { self.precision = precision }

    /// Decodes a chunk of text.
    ///
    /// - Parameters:
    ///   - buffer: the text.
    ///   - firstLine: the number of the first line, for problem reports.
    ///   - isWhole: whether the text ends here. If not, an incomplete entry at the end is not consumed.
    ///   - visit: called for each line, in order.
    /// - Returns: the number of bytes consumed, and the number of the line after them.
    public func decode(
        _ buffer: UnsafeBufferPointer<UInt8>, firstLine: Int = 1, isWhole: Bool = true,
        visit: (Result<Point, LineProblem>) -> Void
    ) -> (consumed: Int, line: Int) {
        let end = isWhole ? buffer.count : (buffer.lastIndex(of: Byte.newline) ?? -1) + 1
        var scanner = LineScanner(Bytes(UnsafeBufferPointer(rebasing: buffer[..<end])), firstLine: firstLine)
        while true {
            let (start, line) = (scanner.offset, scanner.line)
            do throws(LineProblem) {
                try scanner.skipEmptyLines()
                guard !scanner.isAtEnd else { return (end, scanner.line) }
                visit(.success(try point(&scanner)))
            } catch {
                if scanner.isOpenAtEnd, !isWhole { return (start, line) }
                visit(.failure(error))
                scanner.skipLine()
            }
        }
    }

    private func point(_ scanner: inout LineScanner) throws(LineProblem) -> Point {
        let head = try scanner.head()
        var point = Point(measurement: head.measurement, tags: head.tags)
        var after = LineScanner.AfterField.field
        while after == .field {
            let key = scanner.text(try scanner.fieldKey(), of: .fieldKey)
            let value: Point.Value =
                switch try scanner.value() {
                case .number(let number): number
                case .string(let token): .string(scanner.text(token, of: .string))
                }
            point.fields.append(Point.Field(key: key, value: value))
            after = try scanner.afterField()
        }
        if after == .timestamp {
            point.timestamp = try scanner.timestamp(precision).map { Timestamp(nanoseconds: $0) }
        }
        return point
    }
}

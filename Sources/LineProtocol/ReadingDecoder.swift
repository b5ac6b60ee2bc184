import TimeSeries

/// Decodes line protocol to readings, fast: series seen before are looked up by the raw bytes of their names.
///
/// Keep one decoder for the lifetime of a source.
public struct ReadingDecoder: Sendable {
    private var table = SeriesTable()
    /// Bytes of the names of new series in the current text.
    private var newNames = 0
    /// Each field's series name repeats all the tags of its line, so a small text can produce gigabytes of names.
    private static let maximumNewNames = 67_108_864

    public init() {}

    /// The number of bytes of names it remembers.
    public var rememberedBytes: Int { table.bytes }

    /// Whether it remembers the measurement and tags that `text` begins with.
    public func knowsFirst(of text: UnsafeBufferPointer<UInt8>) -> Bool {
        let scanner = LineScanner(Bytes(text), firstLine: 1)
        guard let end = Self.likelyEnd(of: scanner) else { return false }
        let head = scanner.bytes.slice(0..<end)
        return table.head(head, hash: table.hash(head)) != nil
    }

    /// Decodes lines; a malformed line is reported as a problem, and decoding continues with the next line.
    ///
    /// - Parameters:
    ///   - buffer: the text.
    ///   - precision: the unit of timestamps.
    ///   - firstLine: the number of the first line, for problem reports.
    ///   - isWhole: whether the text ends here. If not, an incomplete entry at the end is not consumed, and
    ///     ``DecodedBatch/consumed`` is the offset at which it begins.
    public mutating func decode(
        _ buffer: UnsafeBufferPointer<UInt8>, precision: Precision = .nanoseconds, firstLine: Int = 1,
        isWhole: Bool = true
    ) -> DecodedBatch {
        var batch = DecodedBatch()
        newNames = 0
        let end = isWhole ? buffer.count : (buffer.lastIndex(of: Byte.newline) ?? -1) + 1
        batch.reserve(forBytes: end)
        var scanner = LineScanner(Bytes(UnsafeBufferPointer(rebasing: buffer[..<end])), firstLine: firstLine)
        while true {
            table.trim()
            let (start, line, good) = (scanner.offset, scanner.line, batch.readings.count)
            do throws(LineProblem) {
                try scanner.skipEmptyLines()
                guard !scanner.isAtEnd else { break }
                try readings(&scanner, precision, &batch)
            } catch {
                // Discard the readings of the fields before the malformed one.
                batch.removeReadings(downTo: good)
                if scanner.isOpenAtEnd, !isWhole {
                    (batch.consumed, batch.nextLine) = (start, line)
                    return batch
                }
                batch.refuse(error)
                scanner.skipLine()
            }
        }
        (batch.consumed, batch.nextLine) = (end, scanner.line)
        return batch
    }

    /// Reads the readings of the current line, one for each numeric field.
    private mutating func readings(
        _ scanner: inout LineScanner, _ precision: Precision, _ batch: inout DecodedBatch
    ) throws(LineProblem) {
        let (number, first) = (scanner.line, batch.readings.count)
        let head = try head(&scanner)
        var skipped = 0
        var expected = table.firstField(of: head.index)
        var after = LineScanner.AfterField.field
        while after == .field {
            let key = try key(&scanner, head, &expected)
            switch try scanner.value() {
            case .number(let value):
                batch.readings.append(IncomingReading(key: key, timestamp: nil, value: value.number ?? 0))
                batch.lines.append(number)
            case .string: skipped += 1
            }
            after = try scanner.afterField()
        }
        if after == .timestamp, let nanoseconds = try scanner.timestamp(precision) {
            let timestamp = Timestamp(nanoseconds: nanoseconds)
            for index in first..<batch.readings.count { batch.readings[index].timestamp = timestamp }
        }
        batch.skipped += skipped
    }

    private struct LineHead {
        var index: Int
        var range: Range<Int>
    }

    /// Reads the measurement, the tags, and the spaces after them.
    @inline(__always)
    private mutating func head(_ scanner: inout LineScanner) throws(LineProblem) -> LineHead {
        let start = scanner.offset
        if let end = Self.likelyEnd(of: scanner) {
            let bytes = scanner.bytes.slice(start..<end)
            if let index = table.head(bytes, hash: table.hash(bytes)) {
                scanner.advance(to: end)
                scanner.skipSpaces()
                return LineHead(index: index, range: start..<end)
            }
        }
        return try newHead(&scanner)
    }

    /// The offset of the first space without a backslash before it, within 4096 bytes.
    ///
    /// If the bytes before it were a head once, they are a head again: the meaning of a head does not depend on what
    /// follows it.
    @inline(__always)
    private static func likelyEnd(of scanner: LineScanner) -> Int? {
        let limit = scanner.offset + 4_096
        var from = scanner.offset
        while let space = scanner.bytes.first(Byte.space, in: from..<limit) {
            if scanner.bytes[space - 1] != Byte.backslash { return space }
            from = space + 1
        }
        return nil
    }

    private mutating func newHead(_ scanner: inout LineScanner) throws(LineProblem) -> LineHead {
        let start = scanner.offset
        _ = try scanner.head()
        var end = scanner.offset
        while scanner.bytes[end - 1] == Byte.space, scanner.bytes[end - 2] != Byte.backslash { end -= 1 }
        let bytes = scanner.bytes.slice(start..<end)
        let hash = table.hash(bytes)
        return LineHead(index: table.head(bytes, hash: hash) ?? table.add(bytes, hash: hash), range: start..<end)
    }

    /// Reads the field key and the equals sign, and returns the series of the field.
    @inline(__always)
    private mutating func key(
        _ scanner: inout LineScanner, _ head: LineHead, _ expected: inout Int
    ) throws(LineProblem) -> SeriesKey {
        if expected >= 0, let count = table.match(expected, scanner.bytes, at: scanner.offset) {
            scanner.advance(to: scanner.offset + count + 1)
            defer { expected = table.field(after: expected) }
            return table.key(of: expected)
        }
        return try unexpectedKey(&scanner, head, &expected)
    }

    private mutating func unexpectedKey(
        _ scanner: inout LineScanner, _ head: LineHead, _ expected: inout Int
    ) throws(LineProblem) -> SeriesKey {
        let token = try scanner.fieldKey()
        let bytes = scanner.bytes.slice(token.range)
        if let field = table.field(bytes, of: head.index) {
            expected = table.field(after: field)
            return table.key(of: field)
        }
        let key = try seriesKey(scanner, head, token)
        if table.add(bytes, of: head.index, key: key) != nil { expected = -1 }
        return key
    }

    private mutating func seriesKey(
        _ scanner: LineScanner, _ head: LineHead, _ field: LineScanner.Token
    ) throws(LineProblem) -> SeriesKey {
        // Includes the space after it, which terminates it.
        let text = scanner.bytes.slice(head.range.lowerBound..<head.range.upperBound + 1)
        var headScanner = LineScanner(Bytes(text), firstLine: scanner.line)
        let parts = try headScanner.head()
        let key = SeriesKey(
            measurement: parts.measurement, tags: parts.tags.map { ($0.key, $0.value) },
            field: scanner.text(field, of: .fieldKey))
        let size = key.description.utf8.count
        guard newNames + size <= Self.maximumNewNames else {
            throw scanner.problem(
                "expected at most \(Self.maximumNewNames) bytes in the names of new series; send smaller batches",
                at: field.range.lowerBound)
        }
        newNames += size
        return key
    }
}

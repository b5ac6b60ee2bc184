import TimeSeries

/// Decodes line protocol to readings, fast: series that came before are found by their bytes.
///
/// Keep one for as long as a source lives.
public struct ReadingDecoder: Sendable {
    private var table = SeriesTable()
    /// Bytes of names that this text made new.
    private var newNames = 0
    /// Each field of a line has a name of its own with all the tags in it, so that a small text can name gigabytes.
    private static let maximumNewNames = 67_108_864

    public init() {}

    /// Bytes of names that it remembers.
    public var rememberedBytes: Int { table.bytes }

    /// Whether it remembers the series that `text` begins with.
    public func knowsFirst(of text: UnsafeBufferPointer<UInt8>) -> Bool {
        let scanner = LineScanner(Bytes(text), firstLine: 1)
        guard let end = Self.likelyEnd(of: scanner) else { return false }
        let head = scanner.bytes.slice(0..<end)
        return table.head(head, hash: table.hash(head)) != nil
    }

    /// Decodes lines; a malformed one is a problem, and the next one goes on.
    ///
    /// - Parameters:
    ///   - firstLine: the number of the first line, for problems.
    ///   - isWhole: whether nothing follows. If not, an entry without its end stays: ``DecodedBatch/consumed`` says where
    ///     it begins.
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
            let (start, line, good) = (scanner.place, scanner.line, batch.readings.count)
            do throws(LineProblem) {
                try scanner.skipEmptyLines()
                guard !scanner.isAtEnd else { break }
                try readings(&scanner, precision, &batch)
            } catch {
                // Of the fields before the one that is wrong.
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

    /// The readings of the line here, one for each of its fields that is a number.
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
            for place in first..<batch.readings.count { batch.readings[place].timestamp = timestamp }
        }
        batch.skipped += skipped
    }

    private struct FoundHead {
        var index: Int
        var range: Range<Int>
    }

    /// The measurement and the tags, and the spaces behind them.
    @inline(__always)
    private mutating func head(_ scanner: inout LineScanner) throws(LineProblem) -> FoundHead {
        let start = scanner.place
        if let end = Self.likelyEnd(of: scanner) {
            let bytes = scanner.bytes.slice(start..<end)
            if let index = table.head(bytes, hash: table.hash(bytes)) {
                scanner.advance(to: end)
                scanner.skipSpaces()
                return FoundHead(index: index, range: start..<end)
            }
        }
        return try newHead(&scanner)
    }

    /// The first space without a backslash before it. If the bytes before it were a head once, they are one again: what a
    /// head means depends on nothing behind it.
    @inline(__always)
    private static func likelyEnd(of scanner: LineScanner) -> Int? {
        let limit = scanner.place + 4_096
        var from = scanner.place
        while let space = scanner.bytes.first(Byte.space, in: from..<limit) {
            if scanner.bytes[space - 1] != Byte.backslash { return space }
            from = space + 1
        }
        return nil
    }

    private mutating func newHead(_ scanner: inout LineScanner) throws(LineProblem) -> FoundHead {
        let start = scanner.place
        _ = try scanner.head()
        var end = scanner.place
        while scanner.bytes[end - 1] == Byte.space, scanner.bytes[end - 2] != Byte.backslash { end -= 1 }
        let bytes = scanner.bytes.slice(start..<end)
        let hash = table.hash(bytes)
        return FoundHead(index: table.head(bytes, hash: hash) ?? table.add(bytes, hash: hash), range: start..<end)
    }

    /// The series of the field here, and what is behind its equals sign.
    @inline(__always)
    private mutating func key(
        _ scanner: inout LineScanner, _ head: FoundHead, _ expected: inout Int
    ) throws(LineProblem) -> SeriesKey {
        if expected >= 0, let count = table.match(expected, scanner.bytes, at: scanner.place) {
            scanner.advance(to: scanner.place + count + 1)
            defer { expected = table.field(after: expected) }
            return table.key(of: expected)
        }
        return try unexpectedKey(&scanner, head, &expected)
    }

    private mutating func unexpectedKey(
        _ scanner: inout LineScanner, _ head: FoundHead, _ expected: inout Int
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
        _ scanner: LineScanner, _ head: FoundHead, _ field: LineScanner.Token
    ) throws(LineProblem) -> SeriesKey {
        // With the space behind it, which ends it.
        let text = scanner.bytes.slice(head.range.lowerBound..<head.range.upperBound + 1)
        var again = LineScanner(Bytes(text), firstLine: scanner.line)
        let parts = try again.head()
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

// The sections of a line, in order. Each method leaves the scanner after what it has read.
extension LineScanner {
    /// Reads the measurement, the tags, and the spaces after them.
    ///
    /// - Throws: ``LineProblem`` for a malformed head or a duplicate tag key.
    mutating func head() throws(LineProblem) -> (measurement: String, tags: [Point.Tag]) {
        let name = text(try measurement(), of: .measurement)
        var tags: [Point.Tag] = []
        var keys: Set<[UInt8]> = []
        while let tag = try tag() {
            let key = text(tag.key, of: .tagKey)
            guard keys.insert(Array(key.utf8)).inserted else {
                throw problem("expected a tag key that is not in the line yet", at: tag.key.range.lowerBound)
            }
            tags.append(Point.Tag(key: key, value: text(tag.value, of: .tagValue)))
        }
        return (name, tags)
    }

    /// Reads the measurement and, if there are tags, the comma after it.
    mutating func measurement() throws(LineProblem) -> Token {
        let token = try name(.measurement)
        guard !token.range.isEmpty else { throw problem("expected a measurement, not \(found)") }
        try tagComma()
        return token
    }

    /// Reads the next tag; after the last one it skips the spaces and returns nil.
    mutating func tag() throws(LineProblem) -> (key: Token, value: Token)? {
        if current == Byte.space {
            skipSpaces()
            return nil
        }
        let key = try name(.tagKey)
        guard !key.range.isEmpty, current == Byte.equals else {
            throw key.range.isEmpty
                ? problem("expected a tag key, or a space and the fields, not \(found)")
                : problem("expected = after the tag key, not \(found)", at: key.range.lowerBound)
        }
        advance(to: offset + 1)
        let value = try name(.tagValue)
        guard !value.range.isEmpty else { throw problem("expected a tag value, not \(found)") }
        try tagComma()
        return (key, value)
    }

    private mutating func tagComma() throws(LineProblem) {
        guard current == Byte.comma else { return }
        advance(to: offset + 1)
        guard !isAtEnd, !Byte.isBlank(current) else {
            throw problem("expected a tag key after the comma, not \(found)")
        }
    }

    /// Reads a field's key and the equals sign after it.
    mutating func fieldKey() throws(LineProblem) -> Token {
        let key = try name(.fieldKey)
        guard !key.range.isEmpty else { throw problem("expected a field key, not \(found)") }
        guard current == Byte.equals else { throw problem("expected = after the field key, not \(found)") }
        advance(to: offset + 1)
        return key
    }

    /// What follows a field.
    enum AfterField { case field, timestamp, end }

    @inline(__always)
    mutating func afterField() throws(LineProblem) -> AfterField {
        if current == Byte.comma {
            advance(to: offset + 1)
            return .field
        }
        guard isAtEnd || Byte.isBlank(current) else {
            throw problem("expected a comma, a space or the end of the line after the field, not \(found)")
        }
        skipSpaces()
        return endLine() ? .end : .timestamp
    }

    /// Reads an optional timestamp and the end of its line; nil if there is no timestamp.
    ///
    /// - Returns: nanoseconds since the Unix epoch.
    @inline(__always)
    mutating func timestamp(_ precision: Precision) throws(LineProblem) -> Int64? {
        if let nanoseconds = repeatedTimestamp() {
            try endOfTimestamp()
            return nanoseconds
        }
        let start = offset
        let isNegative = current == Byte.minus
        var offset = isNegative ? start + 1 : start
        let firstDigit = offset
        var count: UInt64 = 0
        var overflows = false
        while Byte.isDigit(bytes[offset]) {
            let (tens, tooBig) = count.multipliedReportingOverflow(by: 10)
            let (sum, carries) = tens.addingReportingOverflow(UInt64(bytes[offset] &- 0x30))
            overflows = overflows || tooBig || carries
            count = sum
            offset += 1
        }
        advance(to: offset)
        let isTimestamp = offset > firstDigit
        guard isTimestamp || offset == start, isAtEnd || Byte.isBlank(current) else {
            throw problem("expected a timestamp, a whole number in \(precision.rawValue)", at: start)
        }
        let nanoseconds = overflows ? nil : precision.nanoseconds(count, isNegative)
        guard nanoseconds != nil || !isTimestamp else {
            throw problem("expected a timestamp between the years 1677 and 2262", at: start)
        }
        if isTimestamp, let nanoseconds { newestTimestamp = (start..<offset, nanoseconds) }
        try endOfTimestamp()
        return isTimestamp ? nanoseconds : nil
    }

    /// Skips a timestamp whose text is identical to the previous one, and returns its value.
    @inline(__always)
    private mutating func repeatedTimestamp() -> Int64? {
        guard let (range, nanoseconds) = newestTimestamp else { return nil }
        let end = offset + range.count
        guard end >= bytes.count || Byte.isBlank(bytes[end]), bytes.holds(bytes.slice(range), at: offset) else {
            return nil
        }
        advance(to: end)
        return nanoseconds
    }

    @inline(__always)
    private mutating func endOfTimestamp() throws(LineProblem) {
        skipSpaces()
        guard endLine() else { throw problem("expected the end of the line after the timestamp, not \(found)") }
    }
}

extension Precision {
    fileprivate func nanoseconds(_ magnitude: UInt64, _ isNegative: Bool) -> Int64? {
        let signed = isNegative ? Int64(exactly: -Int128(magnitude)) : Int64(exactly: magnitude)
        guard let (product, overflow) = signed?.multipliedReportingOverflow(by: factor), !overflow else { return nil }
        return product
    }
}

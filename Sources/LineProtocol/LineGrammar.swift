// The sections of a line, in their order. Each method leaves the scanner behind what it read.
extension LineScanner {
    /// The measurement and the tags as texts, and the spaces behind them.
    ///
    /// - Throws: a malformed head, or a tag key that is there twice.
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

    /// The measurement and, if there are tags, the comma behind it.
    mutating func measurement() throws(LineProblem) -> Token {
        let token = try name(.measurement)
        guard !token.range.isEmpty else { throw problem("expected a measurement, not \(found)") }
        try tagComma()
        return token
    }

    /// The next tag; nil behind the last one, and the spaces after it are passed over.
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
        advance(to: place + 1)
        let value = try name(.tagValue)
        guard !value.range.isEmpty else { throw problem("expected a tag value, not \(found)") }
        try tagComma()
        return (key, value)
    }

    private mutating func tagComma() throws(LineProblem) {
        guard current == Byte.comma else { return }
        advance(to: place + 1)
        guard !isAtEnd, !Byte.isBlank(current) else {
            throw problem("expected a tag key after the comma, not \(found)")
        }
    }

    /// A field's key and the equals sign behind it.
    mutating func fieldKey() throws(LineProblem) -> Token {
        let key = try name(.fieldKey)
        guard !key.range.isEmpty else { throw problem("expected a field key, not \(found)") }
        guard current == Byte.equals else { throw problem("expected = after the field key, not \(found)") }
        advance(to: place + 1)
        return key
    }

    /// What follows a field.
    enum AfterField { case field, timestamp, end }

    @inline(__always)
    mutating func afterField() throws(LineProblem) -> AfterField {
        if current == Byte.comma {
            advance(to: place + 1)
            return .field
        }
        guard isAtEnd || Byte.isBlank(current) else {
            throw problem("expected a comma, a space or the end of the line after the field, not \(found)")
        }
        skipSpaces()
        return endLine() ? .end : .timestamp
    }

    /// A timestamp and the end of its line; nil if there is only the end of the line.
    ///
    /// - Returns: nanoseconds.
    @inline(__always)
    mutating func timestamp(_ precision: Precision) throws(LineProblem) -> Int64? {
        if let nanoseconds = repeatedTimestamp() {
            try endOfTimestamp()
            return nanoseconds
        }
        let start = place
        let isNegative = current == Byte.minus
        var place = isNegative ? start + 1 : start
        let digits = place
        var count: UInt64 = 0
        var overflows = false
        while Byte.isDigit(bytes[place]) {
            let (tens, tooBig) = count.multipliedReportingOverflow(by: 10)
            let (sum, carries) = tens.addingReportingOverflow(UInt64(bytes[place] &- 0x30))
            overflows = overflows || tooBig || carries
            count = sum
            place += 1
        }
        advance(to: place)
        let isTimestamp = place > digits
        guard isTimestamp || place == start, isAtEnd || Byte.isBlank(current) else {
            throw problem("expected a timestamp, a whole number in \(precision.rawValue)", at: start)
        }
        let nanoseconds = overflows ? nil : precision.nanoseconds(count, isNegative)
        guard nanoseconds != nil || !isTimestamp else {
            throw problem("expected a timestamp between the years 1677 and 2262", at: start)
        }
        if isTimestamp, let nanoseconds { newestTimestamp = (start..<place, nanoseconds) }
        try endOfTimestamp()
        return isTimestamp ? nanoseconds : nil
    }

    /// Passes over a timestamp that is written like the one before.
    @inline(__always)
    private mutating func repeatedTimestamp() -> Int64? {
        guard let (range, nanoseconds) = newestTimestamp else { return nil }
        let end = place + range.count
        guard end >= bytes.count || Byte.isBlank(bytes[end]), bytes.holds(bytes.slice(range), at: place) else {
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

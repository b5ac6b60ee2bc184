// Values that need no container. Each is nil if the next value is of another type.
extension JSONScanner {
    mutating func text() throws -> String? {
        guard peek() == UInt8(ascii: "\"") else { return nil }
        return try decoded(string())
    }

    mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value? {
        guard startsNumber else { return nil }
        return JSONNumber(bytes, try number()).integer(type)
    }

    mutating func float<Value>(_ value: (JSONNumber) -> Value?) throws -> Value? {
        guard startsNumber else { return nil }
        return value(JSONNumber(bytes, try number()))
    }

    private var startsNumber: Bool {
        mutating get {
            guard let byte = peek() else { return false }
            return byte == UInt8(ascii: "-") || byte &- UInt8(ascii: "0") < 10
        }
    }
}

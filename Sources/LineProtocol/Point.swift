public import TimeSeries

/// One line: the fields of one tag set at one time.
public struct Point: Sendable, Hashable {
    public enum Value: Sendable, Hashable {
        case float(Double)
        case integer(Int64)
        case unsigned(UInt64)
        case boolean(Bool)
        case string(String)

        /// The value as a reading; nil for a string.
        public var number: Double? {
            switch self {
            case .float(let value): value
            case .integer(let value): Double(value)
            case .unsigned(let value): Double(value)
            case .boolean(let value): value ? 1 : 0
            case .string: nil
            }
        }
    }

    public struct Tag: Sendable, Hashable {
        public var key: String
        public var value: String
    }

    public struct Field: Sendable, Hashable {
        public var key: String
        public var value: Value
    }

    public var measurement: String
    public var tags: [Tag] = []
    public var fields: [Field] = []
    /// nil if the line has no timestamp.
    public var timestamp: Timestamp?
}

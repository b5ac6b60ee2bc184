/// The description of a method: its name, version, summary and parameters.
public struct Manifest: Hashable, Sendable {
    /// The name used in the configuration: `lstm`.
    public var name: String
    /// The version of the method; the states of models of another version are rebuilt by replay.
    public var version: String
    /// One sentence, shown by `niloctl`.
    public var summary: String
    /// All parameters of the method.
    public var parameters: [ParameterDescription]

    public init(name: String, version: String, summary: String, parameters: [ParameterDescription]) {
        self.name = name
        self.version = version
        self.summary = summary
        self.parameters = parameters
    }
}

/// One parameter of a method: its name, default, range and meaning.
public struct ParameterDescription: Hashable, Sendable {
    public var name: String
    public var defaultValue: ParameterValue
    /// The allowed range of a number; nil for no limit.
    public var range: ClosedRange<Double>?
    /// The allowed values of a string; empty for any.
    public var choices: [String]
    /// Former words for choices, which configurations and stored versions may still have.
    public var aliases: [String: String]
    /// The effect of the parameter, in one sentence.
    public var summary: String

    public init(
        _ name: String, _ defaultValue: ParameterValue, range: ClosedRange<Double>? = nil, choices: [String] = [],
        aliases: [String: String] = [:], _ summary: String
    ) {
        self.name = name
        self.defaultValue = defaultValue
        self.range = range
        self.choices = choices
        self.aliases = aliases
        self.summary = summary
    }
}

/// The value of a parameter in the configuration.
public enum ParameterValue: Hashable, Sendable {
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case list([ParameterValue])
}

/// Parameters by name.
public typealias Parameters = [String: ParameterValue]

extension Manifest {
    /// Checks `given` against the descriptions and fills in the defaults.
    ///
    /// - Throws: ``ForecastingError/unknownParameter(_:method:known:)`` or
    ///   ``ForecastingError/badParameter(_:method:expected:found:)``.
    public func resolve(_ given: Parameters) throws(ForecastingError) -> Parameters {
        for name in given.keys.sorted() where !parameters.contains(where: { $0.name == name }) {
            throw .unknownParameter(name, method: self.name, known: parameters.map(\.name))
        }
        var resolved: Parameters = [:]
        for description in parameters {
            let value = given[description.name] ?? description.defaultValue
            resolved[description.name] = try description.checked(value, method: name)
        }
        return resolved
    }
}

extension ParameterDescription {
    /// The requirement on a value, in words.
    public var expectation: String {
        if !choices.isEmpty { return "one of " + choices.map { "\"\($0)\"" }.joined(separator: ", ") }
        let kind =
            switch defaultValue {
            case .boolean: "true or false"
            case .integer: "a whole number"
            case .number: "a number"
            case .string: "a string"
            case .list: "a list"
            }
        guard let range else { return kind }
        return "\(kind) from \(range.lowerBound) to \(range.upperBound)"
    }

    fileprivate func checked(_ value: ParameterValue, method: String) throws(ForecastingError) -> ParameterValue {
        func refuse() -> ForecastingError {
            .badParameter(name, method: method, expected: expectation, found: "\(value)")
        }
        switch (defaultValue, value) {
        case (.boolean, .boolean), (.list, .list): return value
        case (.integer, .integer(let number)):
            guard range?.contains(Double(number)) ?? true else { throw refuse() }
            return value
        case (.number, .integer(let number)):
            guard range?.contains(Double(number)) ?? true else { throw refuse() }
            return .number(Double(number))
        case (.number, .number(let number)):
            guard range?.contains(number) ?? number.isFinite else { throw refuse() }
            return value
        case (.string, .string(let word)):
            let word = aliases[word] ?? word
            guard choices.isEmpty || choices.contains(word) else { throw refuse() }
            return .string(word)
        default: throw refuse()
        }
    }
}

extension ParameterValue: CustomStringConvertible, Codable {
    public var description: String {
        switch self {
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): "\"\(value)\""
        case .list(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else {
            self = .list(try container.decode([ParameterValue].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .boolean(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .list(let values): try container.encode(values)
        }
    }
}

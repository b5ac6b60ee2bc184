import Engine
import Forecasting
import TOMLKit
import TimeSeries

/// A configuration that cannot be used: file, line, key, and what would be right. Exit code 78.
struct SettingsError: Error, CustomStringConvertible {
    var file: String
    var line: Int?
    var key: String?
    /// With a key, what was expected there; without one, what is wrong with the file.
    var problem: String

    var description: String {
        let location = line.map { "\(file):\($0)" } ?? file
        return key.map { "\(location): \($0): expected \(problem)" } ?? "\(location): \(problem)"
    }
}

/// One table of the configuration. It remembers which keys were asked for: the others are mistakes.
final class Section {
    private let table: TOMLTable
    private let path: [String]
    private let locator: KeyLocator
    private var known: Set<String> = []

    init(_ table: TOMLTable, _ path: [String], _ locator: KeyLocator) {
        (self.table, self.path, self.locator) = (table, path, locator)
    }

    func error(_ key: String, _ expected: String) -> SettingsError {
        let full = (path + [key]).joined(separator: ".")
        return SettingsError(file: locator.file, line: locator.line(of: full), key: full, problem: expected)
    }

    /// File and line of a key.
    func location(of key: String) -> String {
        let error = error(key, "")
        return error.line.map { "\(error.file):\($0)" } ?? error.file
    }

    /// Refuses keys that nobody asked for.
    func finish() throws {
        for key in table.keys.sorted() where !known.contains(key) {
            let nearest = nearestNames(to: key, among: known, limit: 1).first.map { "; did you mean \($0)?" } ?? ""
            throw error(key, "a key that this table has\(nearest)")
        }
    }

    func required<T>(_ key: String, _ read: (String) throws -> T?) throws -> T {
        guard let value = try read(key) else { throw error(key, "a value; it is missing") }
        return value
    }

    func string(_ key: String) throws -> String? { try value(key, "a string in quotes") { $0.string } }

    /// A name as ``NameRule`` has it.
    func name(_ key: String) throws -> String? {
        guard let name = try string(key) else { return nil }
        guard NameRule.allows(name) else { throw error(key, "\(NameRule.text), not \(NameRule.shown(name))") }
        return name
    }

    func filePath(_ key: String) throws -> String? {
        try value(key, "a path in quotes") { $0.string.flatMap { $0.isEmpty ? nil : $0 } }
    }

    func boolean(_ key: String) throws -> Bool? { try value(key, "true or false") { $0.bool } }

    func integer(_ key: String, _ range: ClosedRange<Int>) throws -> Int? {
        try value(key, "a whole number from \(range.lowerBound) to \(range.upperBound)") { value in
            value.int.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    func number(_ key: String, _ range: ClosedRange<Double>) throws -> Double? {
        try value(key, "a number from \(range.lowerBound) to \(range.upperBound)") { value in
            (value.double ?? value.int.map { Double($0) }).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// In nanoseconds.
    func duration(_ key: String) throws -> Int64? {
        try value(key, "a duration such as \"500ms\", \"90s\", \"5m\", \"6h\", \"30d\"") { value in
            value.string.flatMap { RetrainRule.duration($0) }
        }
    }

    func strings(_ key: String) throws -> [String]? {
        try value(key, "a list of strings") { value in
            guard let array = value.array else { return nil }
            let strings = array.compactMap { $0.string }
            return strings.count == array.count ? strings : nil
        }
    }

    func numbers(_ key: String) throws -> [Double]? {
        try value(key, "a list of numbers") { value in
            guard let array = value.array else { return nil }
            let numbers = array.compactMap { $0.double ?? $0.int.map { Double($0) } }
            return numbers.count == array.count ? numbers : nil
        }
    }

    /// `[[key]]` tables.
    func sections(_ key: String) throws -> [Section] {
        let tables = try value(key, "[[\(key)]] tables") { value -> [TOMLTable]? in
            guard let array = value.array else { return nil }
            let tables = array.compactMap { $0.table }
            return tables.count == array.count ? tables : nil
        }
        return (tables ?? []).enumerated().map { Section($1, path + ["\(key)[\($0)]"], locator) }
    }

    /// `[key.method]` tables of parameters.
    func parameters(_ key: String) throws -> [String: Parameters] {
        guard let tables = try value(key, "tables of parameters", { $0.table }) else { return [:] }
        var found: [String: Parameters] = [:]
        for method in tables.keys {
            guard let table = tables[method]?.table else { throw error(key, "a table [forecaster.parameters.METHOD]") }
            for name in table.keys {
                guard let value = table[name].flatMap({ Self.parameter($0) }) else {
                    throw error("\(key).\(method).\(name)", "a number, a string, true, false or a list of them")
                }
                found[method, default: [:]][name] = value
            }
        }
        return found
    }

    /// One value that a parameter may have.
    func parameter(_ key: String) throws -> ParameterValue? {
        try value(key, "a number, a string, true, false or a list of them") { Self.parameter($0) }
    }

    private static func parameter(_ value: any TOMLValueConvertible) -> ParameterValue? {
        if let found = value.bool { return .boolean(found) }
        if let found = value.int { return .integer(found) }
        if let found = value.double { return found.isFinite ? .number(found) : nil }
        if let found = value.string { return .string(found) }
        guard let array = value.array else { return nil }
        let list = array.compactMap { parameter($0) }
        return list.count == array.count ? .list(list) : nil
    }

    private func value<T>(_ key: String, _ expected: String, _ read: (any TOMLValueConvertible) -> T?) throws -> T? {
        known.insert(key)
        guard let raw = table[key] else { return nil }
        guard let value = read(raw) else { throw error(key, expected) }
        return value
    }
}

/// Weights of several methods in one file: `NILOMIX1`, then for each its name and its bytes, each behind its length as
/// little-endian 64 bits; ascending by name.
struct WeightsBundle {
    var parts: [String: [UInt8]] = [:]
    private static let magic = Array("NILOMIX1".utf8)

    init() {}

    /// - Throws: ``ForecastingError/badWeights(method:reason:)``.
    init(decoding bytes: [UInt8]) throws(ForecastingError) {
        guard bytes.starts(with: Self.magic) else {
            throw .badWeights(method: "mix", reason: "they do not begin with NILOMIX1")
        }
        var rest = bytes.dropFirst(Self.magic.count)
        while !rest.isEmpty {
            let name = try Self.field(&rest)
            parts[String(decoding: name, as: UTF8.self)] = Array(try Self.field(&rest))
        }
    }

    private static func field(_ rest: inout ArraySlice<UInt8>) throws(ForecastingError) -> ArraySlice<UInt8> {
        let length = rest.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * $1.offset) }
        guard rest.count >= 8, length <= UInt64(rest.count - 8) else {
            throw .badWeights(method: "mix", reason: "they end too early")
        }
        rest = rest.dropFirst(8)
        defer { rest = rest.dropFirst(Int(length)) }
        return rest.prefix(Int(length))
    }

    func encoded() -> [UInt8] {
        var bytes = Self.magic
        for (name, part) in parts.sorted(by: { $0.key < $1.key }) {
            for field in [Array(name.utf8), part] {
                withUnsafeBytes(of: UInt64(field.count).littleEndian) { bytes.append(contentsOf: $0) }
                bytes += field
            }
        }
        return bytes
    }
}

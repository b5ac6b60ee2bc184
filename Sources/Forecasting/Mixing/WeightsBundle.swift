/// The weights of several methods in one file.
///
/// The format is `NILOMIX1`, then for each method, in ascending order of names, its name and its weights, each preceded
/// by its length as a little-endian 64-bit integer.
struct WeightsBundle {
    var parts: [String: [UInt8]] = [:]
    private static let magic = Array("NILOMIX1".utf8)

    init() {}

    /// - Throws: ``ForecastingError/badWeights(method:reason:)``.
    init(decoding bytes: [UInt8]) throws(ForecastingError) {
        guard bytes.starts(with: Self.magic) else {
            throw .badWeights(method: "mix", reason: "they do not begin with NILOMIX1")
        }
        var remaining = bytes.dropFirst(Self.magic.count)
        while !remaining.isEmpty {
            let name = try Self.field(&remaining)
            parts[String(decoding: name, as: UTF8.self)] = Array(try Self.field(&remaining))
        }
    }

    private static func field(_ remaining: inout ArraySlice<UInt8>) throws(ForecastingError) -> ArraySlice<UInt8> {
        let length = remaining.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * $1.offset) }
        guard remaining.count >= 8, length <= UInt64(remaining.count - 8) else {
            throw .badWeights(method: "mix", reason: "they are truncated")
        }
        remaining = remaining.dropFirst(8)
        defer { remaining = remaining.dropFirst(Int(length)) }
        return remaining.prefix(Int(length))
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

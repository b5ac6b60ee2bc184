import TimeSeries

/// What replaces weights that were removed; the row's checksum covers it, as it covered the weights.
///
/// | bytes | what |
/// |---|---|
/// | 16 | "nilometer pruned" |
/// | 8 | when, in ns since the epoch, little-endian |
enum PrunedWeights {
    private static let magic = Array("nilometer pruned".utf8)
    static let size = 24

    static func bytes(at time: Timestamp) -> [UInt8] {
        var writer = ByteWriter(capacity: size)
        writer.append(magic)
        writer.fixed(time.nanoseconds)
        return writer.bytes
    }

    /// When the weights were removed; nil if the bytes are weights.
    static func time(in bytes: [UInt8]) -> Timestamp? {
        guard bytes.count == size, Array(bytes.prefix(magic.count)) == magic else { return nil }
        var reader = ByteReader(Array(bytes.dropFirst(magic.count)))
        return (try? reader.fixed(Int64.self)).map { Timestamp(nanoseconds: $0) }
    }
}

import TimeSeries

/// The payload of a checkpoint row.
///
/// | bytes | what |
/// |---|---|
/// | 1 | version, 1 |
/// | zigzag | journal position |
/// | zigzag | frontier slot |
/// | varint + n | kernel name, UTF-8 |
/// | varint | number of floats |
/// | 4 each | float32 bits, little-endian |
enum CheckpointCodec {
    private static let version: UInt8 = 1

    static func encode(_ checkpoint: Checkpoint) -> [UInt8] {
        var writer = ByteWriter()
        writer.byte(version)
        writer.zigzag(checkpoint.position)
        writer.zigzag(checkpoint.frontier)
        writer.text(checkpoint.kernel)
        writer.varint(UInt64(checkpoint.state.count))
        for value in checkpoint.state { writer.fixed(value.bitPattern) }
        return writer.bytes
    }

    static func decode(
        _ payload: [UInt8], series: SeriesID, epoch: Int64, slot: Slot
    ) throws(StorageError) -> Checkpoint {
        var reader = ByteReader(payload)
        let found = try reader.byte()
        guard found == version else { throw .malformed("format \(found) of a checkpoint is not known") }
        let position = try reader.zigzag()
        let frontier = try reader.zigzag()
        let kernel = try reader.text()
        let count = try reader.count(limit: reader.remaining / 4)
        var state: [Float] = []
        state.reserveCapacity(count)
        for _ in 0..<count { state.append(Float(bitPattern: try reader.fixed(UInt32.self))) }
        return Checkpoint(
            series: series, epoch: epoch, slot: slot, position: position, frontier: frontier, kernel: kernel,
            state: state)
    }
}

import TimeSeries

/// The payload of a score row.
///
/// | bytes | what |
/// |---|---|
/// | 1 | version, 2 |
/// | zigzag, varint | first slot, number of slots |
/// | 4 | scale, float32 |
/// | varint + n × (varint, varint, 4, 4) | by scored lead: lead, count, loss, error |
/// | varint + n × 3 varints | by lead: count, in the outer, in the inner interval |
/// | 1 each | tail probabilities, one per slot |
/// | 8, 8 | nominal shares of the outer and the inner interval, float64; NaN: not known; version 1 does not have them |
enum ScoreCodec {
    private static let version: UInt8 = 2

    static func encode(_ scores: SlotScores) -> [UInt8] {
        var writer = ByteWriter(capacity: 64 + scores.coverage.count * 3 + scores.tails.count)
        writer.byte(version)
        writer.zigzag(scores.start)
        writer.varint(UInt64(scores.slots))
        writer.fixed(scores.scale.bitPattern)
        writer.varint(UInt64(scores.leads.count))
        for lead in scores.leads {
            writer.varint(UInt64(lead.lead))
            writer.varint(UInt64(lead.count))
            writer.fixed(lead.loss.bitPattern)
            writer.fixed(lead.error.bitPattern)
        }
        writer.varint(UInt64(scores.coverage.count))
        for lead in scores.coverage {
            for count in [lead.count, lead.outer, lead.inner] { writer.varint(UInt64(count)) }
        }
        writer.append(scores.tails)
        for share in [scores.nominal?.outer, scores.nominal?.inner] { writer.fixed((share ?? .nan).bitPattern) }
        return writer.bytes
    }

    static func decode(_ payload: [UInt8]) throws(StorageError) -> SlotScores {
        var reader = ByteReader(payload)
        let found = try reader.byte()
        guard (1...version).contains(found) else { throw .malformed("format \(found) of a score is not known") }
        let start = try reader.zigzag()
        let slots = try reader.count(limit: reader.remaining)
        let scale = Float(bitPattern: try reader.fixed(UInt32.self))
        var leads: [SlotScores.Lead] = []
        for _ in 0..<(try reader.count(limit: reader.remaining)) {
            leads.append(
                .init(
                    lead: try reader.count(limit: 1 << 20), count: try reader.count(limit: 1 << 20),
                    loss: Float(bitPattern: try reader.fixed(UInt32.self)),
                    error: Float(bitPattern: try reader.fixed(UInt32.self))))
        }
        var coverage: [SlotScores.Coverage] = []
        for _ in 0..<(try reader.count(limit: reader.remaining)) {
            coverage.append(
                .init(
                    count: try reader.count(limit: 1 << 20), outer: try reader.count(limit: 1 << 20),
                    inner: try reader.count(limit: 1 << 20)))
        }
        var tails: [UInt8] = []
        for _ in 0..<slots { tails.append(try reader.byte()) }
        var scores = SlotScores(
            start: start, slots: slots, scale: scale, leads: leads, coverage: coverage, tails: tails)
        if found > 1 { scores.nominal = try nominal(&reader) }
        return scores
    }

    private static func nominal(_ reader: inout ByteReader) throws(StorageError) -> QuantileLevels.Interval? {
        let outer = Double(bitPattern: try reader.fixed(UInt64.self))
        let inner = Double(bitPattern: try reader.fixed(UInt64.self))
        return outer.isNaN ? nil : QuantileLevels.Interval(outer: outer, inner: inner)
    }
}

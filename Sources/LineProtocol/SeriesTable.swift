import TimeSeries

/// The series seen before, looked up by the bytes of their lines, so that no text is built for them again.
///
/// A *head* is everything before the first unescaped space of a valid line: the measurement and the tags as they were
/// written. Each head has a chain of fields in the order in which they were first seen. Senders seldom change that
/// order, so the next field of the chain is nearly always the next field of the line. The cost is one hash and one
/// comparison per line, and one comparison per field.
struct SeriesTable {
    /// The table is emptied beyond this: the names may come from anyone.
    private static let maximumBytes = 16_777_216
    private static let maximumFields = 131_072
    /// The maximum number of fields remembered per head.
    private static let maximumChain = 512

    private struct Head {
        var hash: UInt64
        var offset: Int
        var count: Int
        var firstField = -1
        var lastField = -1
        var fields = 0
    }

    private struct Field {
        var offset: Int
        var count: Int
        var next = -1
        var key: SeriesKey
    }

    private var text: [UInt8] = []
    /// Bytes of the series' names.
    private var keyBytes = 0
    private var heads: [Head] = []
    private var fields: [Field] = []
    /// An open-addressing hash table of head indices; its size is a power of two, and -1 marks a free slot.
    private var slots = [Int32](repeating: -1, count: 256)
    /// Random and secret, so that senders cannot choose names that collide.
    private let seed = UInt64.random(in: 0 ... .max) | 1

    /// Bytes of everything remembered.
    var bytes: Int { text.count + keyBytes }

    // MARK: Heads

    /// The index of the head with these bytes; nil if it has not been seen.
    @inline(__always)
    func head(_ bytes: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int? {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if heads[index].hash == hash, holds(bytes, at: heads[index].offset, count: heads[index].count) {
                return index
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Adds a head and returns its index.
    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int {
        if (heads.count + 1) * 2 > slots.count { grow() }
        heads.append(Head(hash: hash, offset: text.count, count: bytes.count))
        text.append(contentsOf: bytes)
        insert(heads.count - 1)
        return heads.count - 1
    }

    /// Empties the table if it has grown too large; head and field indices from before are then invalid.
    mutating func trim() {
        guard bytes > Self.maximumBytes || fields.count > Self.maximumFields else { return }
        self = SeriesTable()
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        for index in heads.indices { insert(index) }
    }

    private mutating func insert(_ index: Int) {
        var slot = Int(truncatingIfNeeded: heads[index].hash) & (slots.count - 1)
        while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Int32(truncatingIfNeeded: index)
    }

    // MARK: Fields

    /// The field that usually comes first in a line of `head`; -1 for none.
    @inline(__always)
    func firstField(of head: Int) -> Int { heads[head].firstField }
    /// The field that usually follows `field`; -1 for none.
    @inline(__always)
    func field(after field: Int) -> Int { fields[field].next }
    @inline(__always)
    func key(of field: Int) -> SeriesKey { fields[field].key }

    /// The length of the key of `field` if it is at `offset` and followed by `=`; nil otherwise.
    @inline(__always)
    func match(_ field: Int, _ bytes: Bytes, at offset: Int) -> Int? {
        let (start, count) = (fields[field].offset, fields[field].count)
        guard bytes[offset + count] == Byte.equals else { return nil }
        let isEqual = text.withUnsafeBufferPointer { text in
            bytes.holds(UnsafeBufferPointer(rebasing: text[start..<start + count]), at: offset)
        }
        return isEqual ? count : nil
    }

    /// The index of the field of `head` whose key has these bytes; nil if it has not been seen.
    func field(_ key: UnsafeBufferPointer<UInt8>, of head: Int) -> Int? {
        var field = heads[head].firstField
        while field >= 0 {
            if holds(key, at: fields[field].offset, count: fields[field].count) { return field }
            field = fields[field].next
        }
        return nil
    }

    /// Adds a field of `head` and returns its index; nil if the head has too many fields.
    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>, of head: Int, key: SeriesKey) -> Int? {
        guard heads[head].fields < Self.maximumChain else { return nil }
        fields.append(Field(offset: text.count, count: bytes.count, key: key))
        keyBytes += key.description.utf8.count
        text.append(contentsOf: bytes)
        let new = fields.count - 1
        if heads[head].lastField >= 0 {
            fields[heads[head].lastField].next = new
        } else {
            heads[head].firstField = new
        }
        heads[head].lastField = new
        heads[head].fields += 1
        return new
    }

    // MARK: Bytes

    @inline(__always)
    private func holds(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int, count: Int) -> Bool {
        guard bytes.count == count else { return false }
        return text.withUnsafeBufferPointer { Bytes($0).holds(bytes, at: offset) }
    }

    /// Hashes eight bytes at a time by a full-width multiplication, folded as in wyhash
    /// (github.com/wangyi-fudan/wyhash).
    @inline(__always)
    func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        guard let base = bytes.baseAddress else { return seed }
        var state = seed ^ UInt64(truncatingIfNeeded: bytes.count)
        var offset = 0
        while offset + 8 <= bytes.count {
            let word = UnsafeRawPointer(base).loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let (high, low) = (state ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
            state = high ^ low ^ seed
            offset += 8
        }
        var rest: UInt64 = 0
        while offset < bytes.count {
            rest = rest << 8 | UInt64(bytes[offset])
            offset += 1
        }
        let (high, low) = (state ^ rest).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
        return high ^ low
    }
}

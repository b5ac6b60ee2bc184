import TimeSeries

/// The series that came before, found by the bytes of their lines, so that no text is built for them again.
///
/// A *head* is all before the first space of a line that was read well: the measurement and the tags as they were
/// written. Each head has a chain of fields in the order in which they were first seen, and as senders seldom change the
/// order, the next field of the chain is nearly always the one that comes. Cost: one hash and one comparison per line,
/// one comparison per field.
struct SeriesTable {
    /// More is forgotten at once: the names may come from anybody.
    private static let maximumBytes = 16_777_216
    private static let maximumFields = 131_072
    /// Of one head; further ones are not remembered.
    private static let maximumChain = 512

    private struct Head {
        var hash: UInt64
        var place: Int
        var count: Int
        var firstField = -1
        var lastField = -1
        var fields = 0
    }

    private struct Field {
        var place: Int
        var count: Int
        var next = -1
        var key: SeriesKey
    }

    private var text: [UInt8] = []
    /// Of the series' names.
    private var keyBytes = 0
    private var heads: [Head] = []
    private var fields: [Field] = []
    /// Open addressing, a power of two; -1 is free.
    private var slots = [Int32](repeating: -1, count: 256)
    /// Unknown to senders, so that they cannot choose names that collide.
    private let seed = UInt64.random(in: 0 ... .max) | 1

    /// Of all that is remembered.
    var bytes: Int { text.count + keyBytes }

    // MARK: Heads

    /// The head with these bytes; nil if it has not been seen.
    @inline(__always)
    func head(_ bytes: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int? {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let index = Int(slots[slot])
            if heads[index].hash == hash, holds(bytes, at: heads[index].place, count: heads[index].count) {
                return index
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Remembers a head.
    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int {
        if (heads.count + 1) * 2 > slots.count { grow() }
        heads.append(Head(hash: hash, place: text.count, count: bytes.count))
        text.append(contentsOf: bytes)
        insert(heads.count - 1)
        return heads.count - 1
    }

    /// Forgets everything if too much has been remembered. Heads and fields found before are not valid afterwards.
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

    /// The field that a line of `head` begins with as a rule; -1 for none.
    @inline(__always)
    func firstField(of head: Int) -> Int { heads[head].firstField }
    /// The field that follows as a rule; -1 for none.
    @inline(__always)
    func field(after field: Int) -> Int { fields[field].next }
    @inline(__always)
    func key(of field: Int) -> SeriesKey { fields[field].key }

    /// How many bytes the key of `field` has if it stands at `place`, followed by `=`; nil if it does not.
    @inline(__always)
    func match(_ field: Int, _ bytes: Bytes, at place: Int) -> Int? {
        let (start, count) = (fields[field].place, fields[field].count)
        guard bytes[place + count] == Byte.equals else { return nil }
        let isEqual = text.withUnsafeBufferPointer { text in
            bytes.holds(UnsafeBufferPointer(rebasing: text[start..<start + count]), at: place)
        }
        return isEqual ? count : nil
    }

    func field(_ key: UnsafeBufferPointer<UInt8>, of head: Int) -> Int? {
        var field = heads[head].firstField
        while field >= 0 {
            if holds(key, at: fields[field].place, count: fields[field].count) { return field }
            field = fields[field].next
        }
        return nil
    }

    /// Remembers a field of `head`; nil if that has too many.
    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>, of head: Int, key: SeriesKey) -> Int? {
        guard heads[head].fields < Self.maximumChain else { return nil }
        fields.append(Field(place: text.count, count: bytes.count, key: key))
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
    private func holds(_ bytes: UnsafeBufferPointer<UInt8>, at place: Int, count: Int) -> Bool {
        guard bytes.count == count else { return false }
        return text.withUnsafeBufferPointer { Bytes($0).holds(bytes, at: place) }
    }

    /// Eight bytes at a time through a full multiplication, folded (as in wyhash, github.com/wangyi-fudan/wyhash).
    @inline(__always)
    func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
        guard let base = bytes.baseAddress else { return seed }
        var state = seed ^ UInt64(truncatingIfNeeded: bytes.count)
        var place = 0
        while place + 8 <= bytes.count {
            let word = UnsafeRawPointer(base).loadUnaligned(fromByteOffset: place, as: UInt64.self)
            let (high, low) = (state ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
            state = high ^ low ^ seed
            place += 8
        }
        var rest: UInt64 = 0
        while place < bytes.count {
            rest = rest << 8 | UInt64(bytes[place])
            place += 1
        }
        let (high, low) = (state ^ rest).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
        return high ^ low
    }
}

import CPrefetch
import TimeSeries

/// The series that the writer knows, found by their keys.
///
/// Who sends readings sends the same series in the same order again and again. So the series that came after this one
/// the last time is tried first; only where that fails is the key looked up. For the same reason those that come after it
/// are asked for ahead: each lies somewhere else in memory. Owned by the writer's thread.
struct SeriesIndex {
    /// In no particular order.
    private(set) var values: [SeriesEntry] = []
    private var places: [SeriesKey: Int] = [:]
    /// By place: the place of the series that followed the last time.
    private var following: [Int] = []
    /// Of the series found last.
    private var last = 0
    /// By place: where the entry lies.
    private var addresses: [Unmanaged<SeriesEntry>] = []
    /// The place of the series that is expected a few after the last one.
    private var ahead = 0

    init(_ entries: some Sequence<SeriesEntry> = []) { for entry in entries { add(entry) } }

    var count: Int { values.count }

    mutating func find(_ key: SeriesKey) -> SeriesEntry? {
        guard !values.isEmpty else { return nil }
        let guess = following[last]
        if values[guess].key == key {
            last = guess
            prefetchNext()
            return values[guess]
        }
        guard let place = places[key] else { return nil }
        (following[last], last) = (place, place)
        ahead = (0..<Self.distance).reduce(place) { place, _ in following[place] }
        return values[place]
    }

    /// Asks for one more of the series that are expected.
    private mutating func prefetchNext() {
        ahead = following[ahead]
        prefetch_bytes(addresses[ahead].toOpaque(), SeriesEntry.memorySize)
        addresses[following[last]]._withUnsafeGuaranteedRef { $0.prefetchWindow() }
    }

    /// Series between the one at work and the one that is asked for: enough to hide the way to main memory.
    private static let distance = 4

    /// Adds a series with a new key.
    mutating func add(_ entry: SeriesEntry) {
        places[entry.key] = values.count
        values.append(entry)
        addresses.append(.passUnretained(entry))
        following.append(0)
    }

    mutating func remove(_ ids: Set<SeriesID>) { self = SeriesIndex(values.filter { !ids.contains($0.id) }) }
}

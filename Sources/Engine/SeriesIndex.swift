import TimeSeries

/// The series that the writer knows, found by their keys.
///
/// Who sends readings sends the same series in the same order again and again. So the series that came after this one
/// the last time is tried first; only where that fails is the key looked up. Owned by the writer's thread.
struct SeriesIndex {
    /// In no particular order.
    private(set) var values: [SeriesEntry] = []
    private var places: [SeriesKey: Int] = [:]
    /// By place: the place of the series that followed the last time.
    private var following: [Int] = []
    /// Of the series found last.
    private var last = 0

    init(_ entries: some Sequence<SeriesEntry> = []) { for entry in entries { add(entry) } }

    var count: Int { values.count }

    mutating func find(_ key: SeriesKey) -> SeriesEntry? {
        guard !values.isEmpty else { return nil }
        let guess = following[last]
        if values[guess].key == key {
            last = guess
            return values[guess]
        }
        guard let place = places[key] else { return nil }
        (following[last], last) = (place, place)
        return values[place]
    }

    /// Adds a series with a new key.
    mutating func add(_ entry: SeriesEntry) {
        places[entry.key] = values.count
        values.append(entry)
        following.append(0)
    }

    mutating func remove(_ ids: Set<SeriesID>) { self = SeriesIndex(values.filter { !ids.contains($0.id) }) }
}

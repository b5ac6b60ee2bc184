import TimeSeries

/// The series that the writer knows, each at a place of its own, found by their keys.
///
/// Who sends readings sends the same series in the same order again and again. So the series that came after this one
/// the last time is tried first; only where that fails is the key looked up. For the same reason those that come after it
/// are asked for ahead, in three stages of which every one reads only what the one before has brought. Owned by the
/// writer's thread.
struct SeriesIndex: ~Copyable {
    /// In no particular order. Places are valid until a series is removed.
    private(set) var values: [EntryHandle] = []
    private var places: [SeriesKey: Int] = [:]
    /// By place: the place of the series that followed the last time.
    private var following: [Int] = []
    /// Of the series found last.
    private var last = 0
    /// The places of the series that are expected after it: nearest first, some series between two.
    private var expected = (near: 0, middle: 0, far: 0)

    /// Enough to hide the way to main memory.
    private static let distance = 4

    deinit { for entry in values { entry.free() } }

    var count: Int { values.count }

    /// The place of the series with `key`; nil if there is none.
    mutating func find(_ key: SeriesKey) -> Int? {
        guard !values.isEmpty else { return nil }
        let guess = following[last]
        if values[guess].key == key {
            last = guess
            prefetchNext()
            return guess
        }
        guard let found = places[key] else { return nil }
        (following[last], last) = (found, found)
        expected.near = skipping(from: found)
        expected.middle = skipping(from: expected.near)
        expected.far = skipping(from: expected.middle)
        return found
    }

    private func skipping(from place: Int) -> Int { (0..<Self.distance).reduce(place) { place, _ in following[place] } }

    /// Asks for one more of the series that are expected.
    private mutating func prefetchNext() {
        expected = (following[expected.near], following[expected.middle], following[expected.far])
        values[expected.far].prefetch()
        values[expected.middle].prefetchWindow()
        values[expected.near].prefetchWindowEnd()
    }

    /// Adds a series with a new key.
    ///
    /// - Returns: its place.
    @discardableResult
    mutating func add(_ entry: consuming SeriesEntry) -> Int {
        add(EntryHandle(entry))
        return values.count - 1
    }

    private mutating func add(_ entry: EntryHandle) {
        places[entry.key] = values.count
        values.append(entry)
        following.append(0)
    }

    mutating func remove(_ ids: Set<SeriesID>) { removeAll { ids.contains($0.id) } }

    /// Removes those that were added last, all but `count`.
    mutating func removeNewest(downTo count: Int) {
        guard count < values.count else { return }
        let newest = Set(values[count...])
        removeAll { newest.contains($0) }
    }

    private mutating func removeAll(where isGone: (EntryHandle) -> Bool) {
        let before = values
        (values, places, following) = ([], [:], [])
        (last, expected) = (0, (0, 0, 0))
        for entry in before {
            if isGone(entry) { entry.free() } else { add(entry) }
        }
    }
}

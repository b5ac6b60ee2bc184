import TimeSeries

/// The writer's series, looked up by key.
///
/// Senders usually send the same series in the same order. So the lookup first tries the series that followed the
/// previous one last time, and hashes the key only if that fails. For the same reason it prefetches the series expected
/// next, in three stages, each of which reads only what the stage before it prefetched. Owned by the writer's thread.
struct SeriesIndex: ~Copyable {
    /// In no particular order. Indices are valid until a series is removed.
    private(set) var values: [EntryHandle] = []
    private var places: [SeriesKey: Int] = [:]
    /// By index: the index of the series that followed last time.
    private var following: [Int] = []
    /// The index of the series found last.
    private var last = 0
    /// The indices of three series expected after it, ``distance`` series apart.
    private var expected = (near: 0, middle: 0, far: 0)

    /// Enough to hide the latency of main memory.
    private static let distance = 4

    deinit { for entry in values { entry.free() } }

    var count: Int { values.count }

    /// The index of the series with `key`; nil if there is none.
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

    /// Prefetches one more of the expected series.
    private mutating func prefetchNext() {
        expected = (following[expected.near], following[expected.middle], following[expected.far])
        values[expected.far].prefetch()
        values[expected.middle].prefetchWindow()
        values[expected.near].prefetchWindowEnd()
    }

    /// Adds a series with a new key.
    ///
    /// - Returns: its index.
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

    /// Removes the newest series until `count` are left.
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

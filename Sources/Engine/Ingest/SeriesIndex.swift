import TimeSeries

/// The writer's series, looked up by key.
///
/// Senders usually send the same series in the same order. So the lookup first tries the series that followed the
/// previous one last time, and hashes the key only if that fails. For the same reason it prefetches the series expected
/// next, in three stages, each of which reads only what the stage before it prefetched. Owned by the writer's thread.
struct SeriesIndex: ~Copyable {
    /// The entries in no particular order; indices are valid until a series is removed.
    private(set) var values: [EntryHandle] = []
    private var indices: [SeriesKey: Int] = [:]
    /// By index: the index of the series that followed last time.
    private var successors: [Int] = []
    /// The index of the series found last.
    private var lastIndex = 0
    /// The indices of three series expected after it, ``distance`` series apart.
    private var expected = (near: 0, middle: 0, far: 0)

    /// Enough to hide the latency of main memory.
    private static let distance = 4

    deinit { for entry in values { entry.free() } }

    var count: Int { values.count }

    /// The index of the series with `key`; nil if there is none.
    mutating func find(_ key: SeriesKey) -> Int? {
        guard !values.isEmpty else { return nil }
        let guess = successors[lastIndex]
        if values[guess].key == key {
            lastIndex = guess
            prefetchNext()
            return guess
        }
        guard let index = indices[key] else { return nil }
        (successors[lastIndex], lastIndex) = (index, index)
        expected.near = skipping(from: index)
        expected.middle = skipping(from: expected.near)
        expected.far = skipping(from: expected.middle)
        return index
    }

    private func skipping(from index: Int) -> Int {
        (0..<Self.distance).reduce(index) { index, _ in successors[index] }
    }

    /// Prefetches one more of the expected series.
    private mutating func prefetchNext() {
        expected = (successors[expected.near], successors[expected.middle], successors[expected.far])
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
        indices[entry.key] = values.count
        values.append(entry)
        successors.append(0)
    }

    mutating func remove(_ ids: Set<SeriesID>) { removeAll { ids.contains($0.id) } }

    /// Removes the newest series until `count` are left.
    mutating func removeNewest(downTo count: Int) {
        guard count < values.count else { return }
        let newest = Set(values[count...])
        removeAll { newest.contains($0) }
    }

    private mutating func removeAll(where isRemoved: (EntryHandle) -> Bool) {
        let previous = values
        (values, indices, successors) = ([], [:], [])
        (lastIndex, expected) = (0, (0, 0, 0))
        for entry in previous {
            if isRemoved(entry) { entry.free() } else { add(entry) }
        }
    }
}

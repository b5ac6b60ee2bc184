import CPrefetch
import TimeSeries

/// The series that the writer knows, each at a place of its own, found by their keys.
///
/// Who sends readings sends the same series in the same order again and again. So the series that came after this one
/// the last time is tried first; only where that fails is the key looked up. For the same reason those that come after it
/// are asked for ahead, in three stages of which every one reads only what the one before has brought. Owned by the
/// writer's thread.
struct SeriesIndex {
    /// In no particular order. Values in one block and not objects: an entry is used several times for each reading, and
    /// every use of an object counts references and checks for overlapping access.
    private(set) var values: [SeriesEntry] = []
    private var places: [SeriesKey: Int] = [:]
    /// By place: the place of the series that followed the last time.
    private var following: [Int] = []
    /// Of the series found last.
    private var last = 0
    /// The places of the series that are expected after it: nearest first, some series between two.
    private var expected = (near: 0, middle: 0, far: 0)

    /// Enough to hide the way to main memory.
    private static let distance = 4

    init(_ entries: some Sequence<SeriesEntry> = []) { for entry in entries { add(entry) } }

    var count: Int { values.count }

    /// The place of the series with `key`; nil if there is none. Places are valid until a series is removed.
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
        // In their places: an element of the array itself would be copied first.
        values.withUnsafeBufferPointer { [expected] values in
            guard let first = values.baseAddress else { return }
            prefetch_bytes(first + expected.far, SeriesEntry.admittedSize)
            (first + expected.middle).pointee.prefetchWindow()
            (first + expected.near).pointee.prefetchWindowEnd()
        }
    }

    /// Adds a series with a new key.
    ///
    /// - Returns: its place.
    @discardableResult
    mutating func add(_ entry: SeriesEntry) -> Int {
        places[entry.key] = values.count
        values.append(entry)
        following.append(0)
        return values.count - 1
    }

    mutating func remove(_ ids: Set<SeriesID>) { self = SeriesIndex(values.filter { !ids.contains($0.id) }) }

    /// Removes those that were added last, all but `count`.
    mutating func removeNewest(downTo count: Int) {
        guard count < values.count else { return }
        self = SeriesIndex(values.prefix(count))
    }

    // MARK: The series at a place

    /// Notes a reading and says how it is classed.
    mutating func admit(_ timestamp: Timestamp, at place: Int) -> SeriesEntry.Change { values[place].admit(timestamp) }

    /// Undoes `change`, the newest one of this series that was not undone.
    mutating func takeBack(_ change: SeriesEntry.Change, at place: Int) { values[place].takeBack(change) }

    /// Forgets timestamps that no fresh reading can meet again.
    mutating func prune(at place: Int) { values[place].prune() }

    mutating func setForecaster(_ name: String?, at place: Int) { values[place].forecaster = name }
}

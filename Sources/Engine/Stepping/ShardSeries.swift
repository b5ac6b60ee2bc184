import TimeSeries

/// A series where its shard keeps it; valid until the shard forgets the series.
///
/// An address and not an object: a step uses a series in a dozen places, each of which would count references and check
/// for overlapping access, and the first of them would wait for memory that nobody had asked for.
typealias SeriesPointer = UnsafeMutablePointer<SeriesState>

/// The series of one shard, found by their numbers.
///
/// Readings come mostly in the order in which the series were born, so the place after the last one found is tried
/// first; a dictionary would hash and look up every one. Owned by one shard thread.
struct ShardSeries {
    /// Each at its place.
    private(set) var all: [SeriesPointer] = []
    private var ids: [SeriesID] = []
    private var places: [SeriesID: Int] = [:]

    subscript(id: SeriesID) -> SeriesPointer? { places[id].map { all[$0] } }

    /// The place of `id`, tried first at `guess`.
    func place(of id: SeriesID, guess: Int) -> Int? {
        guess < ids.count && ids[guess] == id ? guess : places[id]
    }

    /// Adds a series that is not among them.
    mutating func add(_ state: consuming SeriesState) -> SeriesPointer {
        let id = state.id
        let pointer = SeriesPointer.allocate(capacity: 1)
        pointer.initialize(to: state)
        add(pointer, id)
        return pointer
    }

    private mutating func add(_ pointer: SeriesPointer, _ id: SeriesID) {
        places[id] = all.count
        ids.append(id)
        all.append(pointer)
    }

    mutating func remove(_ gone: some Sequence<SeriesID>) {
        let gone = Set(gone)
        let before = all
        self = ShardSeries()
        for pointer in before {
            guard gone.contains(pointer.pointee.id) else {
                add(pointer, pointer.pointee.id)
                continue
            }
            pointer.deinitialize(count: 1)
            pointer.deallocate()
        }
    }

    /// Frees all series; for the end of the shard.
    mutating func removeAll() { remove(ids) }
}

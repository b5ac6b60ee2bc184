import TimeSeries

/// The series of one shard, found by their numbers.
///
/// Readings come mostly in the order in which the series were born, so the place after the last one found is tried
/// first; a dictionary would hash and look up every one. Owned by one shard thread.
struct ShardSeries {
    /// Each at its place.
    private(set) var all: [SeriesHandle] = []
    private var ids: [SeriesID] = []
    private var places: [SeriesID: Int] = [:]

    subscript(id: SeriesID) -> SeriesHandle? { places[id].map { all[$0] } }

    /// The place of `id`, tried first at `guess`.
    func place(of id: SeriesID, guess: Int) -> Int? {
        guess < ids.count && ids[guess] == id ? guess : places[id]
    }

    /// Adds a series that is not among them.
    mutating func add(_ state: consuming SeriesState) -> SeriesHandle {
        let series = SeriesHandle(state)
        add(series)
        return series
    }

    private mutating func add(_ series: SeriesHandle) {
        places[series.id] = all.count
        ids.append(series.id)
        all.append(series)
    }

    mutating func remove(_ gone: some Sequence<SeriesID>) {
        let gone = Set(gone)
        let before = all
        self = ShardSeries()
        for series in before {
            if gone.contains(series.id) { series.free() } else { add(series) }
        }
    }

    /// Frees all series; for the end of the shard.
    mutating func removeAll() { remove(ids) }
}

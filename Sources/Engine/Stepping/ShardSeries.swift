import TimeSeries

/// The series of one shard, looked up by ID.
///
/// Readings usually arrive in the order in which the series were created, so the lookup first tries the index after the
/// last match; a dictionary would hash every ID. Owned by one shard thread.
struct ShardSeries {
    /// In the order of their indices.
    private(set) var all: [SeriesHandle] = []
    private var ids: [SeriesID] = []
    private var indices: [SeriesID: Int] = [:]

    subscript(id: SeriesID) -> SeriesHandle? { indices[id].map { all[$0] } }

    /// The index of `id`, tried first at `guess`; nil if there is none.
    func index(of id: SeriesID, guess: Int) -> Int? {
        guess < ids.count && ids[guess] == id ? guess : indices[id]
    }

    /// Adds a new series.
    mutating func add(_ state: consuming SeriesState) -> SeriesHandle {
        let series = SeriesHandle(state)
        add(series)
        return series
    }

    private mutating func add(_ series: SeriesHandle) {
        indices[series.id] = all.count
        ids.append(series.id)
        all.append(series)
    }

    mutating func remove(_ ids: some Sequence<SeriesID>) {
        let removed = Set(ids)
        let previous = all
        self = ShardSeries()
        for series in previous {
            if removed.contains(series.id) { series.free() } else { add(series) }
        }
    }

    /// Frees all series, at the end of the shard.
    mutating func removeAll() { remove(ids) }
}

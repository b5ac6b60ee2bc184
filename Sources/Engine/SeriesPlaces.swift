import TimeSeries

/// The series of one shard, found by their numbers.
///
/// Readings come mostly in the order in which the series were born, so the place after the last one found is tried
/// first; a dictionary would hash and look up every one. Owned by one shard thread.
struct SeriesPlaces {
    /// Each at its place.
    private(set) var all: [SeriesState] = []
    private var ids: [SeriesID] = []
    private var places: [SeriesID: Int] = [:]

    subscript(id: SeriesID) -> SeriesState? { places[id].map { all[$0] } }

    /// The place of `id`, tried first at `guess`.
    func place(of id: SeriesID, guess: Int) -> Int? {
        guess < ids.count && ids[guess] == id ? guess : places[id]
    }

    /// Adds a series, or takes it in place of the one of the same number.
    mutating func add(_ state: SeriesState) {
        if let place = places[state.id] { return all[place] = state }
        places[state.id] = all.count
        ids.append(state.id)
        all.append(state)
    }

    mutating func remove(_ gone: some Sequence<SeriesID>) {
        let gone = Set(gone)
        let left = all.filter { !gone.contains($0.id) }
        self = SeriesPlaces()
        for state in left { add(state) }
    }
}

import TimeSeries

/// Sorts the readings of the journal by series as they are read.
///
/// Series come in the same order again and again, so the one that came after this one the last time is tried first; a
/// dictionary would hash and look up every reading.
struct JournalTails {
    private struct Tail {
        let series: SeriesID
        /// Readings up to this position are sealed.
        let sealed: JournalPosition
        /// Readings before this are not wanted; nil: none is.
        let oldest: Timestamp?
        /// The place of the series that followed the last time.
        var following = 0
        var readings: [PositionedReading] = []
    }

    private let sealed: [SeriesID: JournalPosition]
    private let oldest: [SeriesID: Timestamp]?
    private var tails: [Tail] = []
    private var places: [SeriesID: Int] = [:]
    /// Of the series that came last.
    private var last = 0

    /// - Parameters:
    ///   - sealed: the positions up to which the readings of each series are sealed.
    ///   - oldest: the series wanted and the oldest timestamp of each; nil for everything.
    init(sealed: [SeriesID: JournalPosition], oldest: [SeriesID: Timestamp]?) {
        (self.sealed, self.oldest) = (sealed, oldest)
    }

    /// Takes a reading in if it counts and is wanted.
    mutating func take(_ reading: Reading, at position: JournalPosition) {
        let place = place(of: reading.series)
        guard position > tails[place].sealed, let oldest = tails[place].oldest, reading.timestamp >= oldest else {
            return
        }
        tails[place].readings.append(PositionedReading(reading: reading, position: position))
    }

    private mutating func place(of series: SeriesID) -> Int {
        if last < tails.count {
            let guess = tails[last].following
            if tails[guess].series == series {
                last = guess
                return guess
            }
        }
        let place = places[series] ?? add(series)
        tails[last].following = place
        last = place
        return place
    }

    private mutating func add(_ series: SeriesID) -> Int {
        places[series] = tails.count
        let oldest = oldest.map { $0[series] } ?? .distantPast
        tails.append(Tail(series: series, sealed: sealed[series] ?? 0, oldest: oldest))
        return tails.count - 1
    }

    /// By series, each ascending by position; without those that have none.
    var readings: [SeriesID: [PositionedReading]] {
        let found = tails.lazy.filter { !$0.readings.isEmpty }.map { ($0.series, $0.readings) }
        return Dictionary(found, uniquingKeysWith: { first, _ in first })
    }
}

import Storage

/// The readings of one commit, series by series, in the memory of the commit before.
///
/// A series is then taken through all of a commit while its memory is near: with ten thousand series, by the time all
/// had taken their readings in the first would have left the caches. Owned by one shard thread.
struct ReadingsBySeries {
    /// The places of the series that have readings, each once, in the order of their first.
    private(set) var series: [Int] = []
    /// By place of a series: its first and its last reading in the commit; −1 for none.
    private var first: [Int32] = []
    private var last: [Int32] = []
    /// By reading: the next of the same series; −1 for none.
    private var next: [Int32] = []

    /// Groups `readings`; those of unknown series are left out.
    mutating func group(_ readings: [PositionedReading], of known: ShardSeries) {
        for place in series { first[place] = -1 }
        series.removeAll(keepingCapacity: true)
        next.removeAll(keepingCapacity: true)
        first.grow(to: known.all.count)
        last.grow(to: known.all.count)
        var guess = 0
        for (index, item) in readings.enumerated() {
            next.append(-1)
            guard let place = known.place(of: item.reading.series, guess: guess) else { continue }
            guess = place + 1
            if first[place] < 0 {
                first[place] = Int32(index)
                series.append(place)
            } else {
                next[Int(last[place])] = Int32(index)
            }
            last[place] = Int32(index)
        }
    }

    /// Calls `body` with the index of each reading of the series at `place`, in their order.
    @inline(__always)
    func forEachReading(of place: Int, _ body: (Int) -> Void) {
        var index = first[place]
        while index >= 0 {
            body(Int(index))
            index = next[Int(index)]
        }
    }
}

extension [Int32] {
    fileprivate mutating func grow(to count: Int) {
        if self.count < count { append(contentsOf: repeatElement(-1, count: count - self.count)) }
    }
}

import Storage

/// The readings of one commit, grouped by series; reuses its buffers from commit to commit.
///
/// A series then processes all its readings of a commit while its memory is cached: with ten thousand series, the first
/// would have left the caches by the time all had absorbed their readings. Owned by one shard thread.
struct ReadingsBySeries {
    /// The indices of the series that have readings, each once, in the order of their first reading.
    private(set) var series: [Int] = []
    /// By index of a series, its first and its last reading in the commit; −1 for none.
    private var first: [Int32] = []
    private var last: [Int32] = []
    /// By reading, the next one of the same series; −1 for none.
    private var next: [Int32] = []

    /// Groups `readings`, without those of unknown series.
    mutating func group(_ readings: [PositionedReading], of shardSeries: ShardSeries) {
        for seriesIndex in series { first[seriesIndex] = -1 }
        series.removeAll(keepingCapacity: true)
        next.removeAll(keepingCapacity: true)
        first.grow(to: shardSeries.all.count)
        last.grow(to: shardSeries.all.count)
        var guess = 0
        for (index, item) in readings.enumerated() {
            next.append(-1)
            guard let seriesIndex = shardSeries.index(of: item.reading.series, guess: guess) else { continue }
            guess = seriesIndex + 1
            if first[seriesIndex] < 0 {
                first[seriesIndex] = Int32(index)
                series.append(seriesIndex)
            } else {
                next[Int(last[seriesIndex])] = Int32(index)
            }
            last[seriesIndex] = Int32(index)
        }
    }

    /// Calls `body` with the index of each reading of the series at `seriesIndex`, in order.
    @inline(__always)
    func forEachReading(of seriesIndex: Int, _ body: (Int) -> Void) {
        var index = first[seriesIndex]
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

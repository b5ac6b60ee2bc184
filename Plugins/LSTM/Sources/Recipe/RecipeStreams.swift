import Recurrent

/// The rows of a batch as they move through the series: each runs several chunks with carried state, then restarts.
struct RecipeStreams {
    struct Row {
        var series = 0
        var position = 0
        /// The number of chunks before it restarts.
        var left = 0
        var isFresh = true
    }

    private(set) var rows: [Row]
    let chunk: Int
    /// The number of slots after a restart that are not scored.
    let burnIn: Int
    private let carry: Int
    private let ends: [Int]
    private let firsts: [Int]
    private var isFirst = true

    /// - Parameter ends: for each series, the first slot whose targets must not be used for training.
    init(_ series: [PreparedSeries], ends: [Int], chunk: Int, batch: Int, carry: Int) {
        let longest = ends.max() ?? 0
        self.chunk = max(2, min(chunk, longest / 3))
        burnIn = min(24, self.chunk / 4)
        (self.carry, self.ends) = (carry, ends)
        firsts = series.map(\.first)
        rows = [Row](repeating: Row(), count: batch)
    }

    /// Advances every row by one chunk, and sets `isFresh` for those that restart.
    mutating func next(_ random: inout RandomSource) {
        let usable = ends.indices.filter { ends[$0] > chunk }
        for index in rows.indices {
            if rows[index].left > 0 { rows[index].position += chunk }
            rows[index].left -= 1
            rows[index].isFresh =
                rows[index].left <= 0 || rows[index].position + chunk > ends[rows[index].series]
            guard rows[index].isFresh, !usable.isEmpty else { continue }
            let series = usable[Int(random.next() % UInt64(usable.count))]
            let last = ends[series] - chunk
            let first = max(0, min(firsts[series] - burnIn, last))
            rows[index].series = series
            rows[index].position = first + Int(random.next() % UInt64(last - first + 1))
            rows[index].left = isFirst ? 1 + Int(random.next() % UInt64(carry)) : carry
        }
        isFirst = false
    }
}

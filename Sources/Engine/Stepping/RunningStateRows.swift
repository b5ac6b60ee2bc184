import CMemory

/// The states of one running state and its newest forecast.
///
/// States are rows of equal length, managed as a pool. The forecast and the first rows, which every step reads and
/// writes, share one block: as separate arrays, each would have a header, a reference count and a location of its own,
/// and waiting for those is most of the cost of a step of a small model. The other rows, snapshots that are rarely read
/// again, are allocated individually when needed: a row of a recipe's state is 5 KiB, and growing blocks would fragment
/// the heap, by hundreds of megabytes with ten thousand series.
struct RunningStateRows: ~Copyable {
    /// Floats in a row.
    let stateCount: Int
    let forecastCount: Int
    /// `[forecastCount]`, then `[firstRows][stateCount]`.
    private let base: UnsafeMutablePointer<Float>
    /// `[stateCount]` each.
    private var overflowRows: [UnsafeMutablePointer<Float>] = []
    private var freeRows: [Int]

    /// The head, the open step and the first snapshot.
    private static let firstRows = 3

    init(stateCount: Int, forecastCount: Int) {
        (self.stateCount, self.forecastCount) = (stateCount, forecastCount)
        base = .allocate(capacity: forecastCount + Self.firstRows * stateCount)
        base.initialize(repeating: 0, count: forecastCount + Self.firstRows * stateCount)
        freeRows = (0..<Self.firstRows).reversed()
    }

    deinit {
        base.deallocate()
        for row in overflowRows { row.deallocate() }
    }

    /// `[forecastCount]`
    var forecast: UnsafeMutableBufferPointer<Float> { .init(start: base, count: forecastCount) }

    /// `[stateCount]`
    subscript(row: Int) -> UnsafeMutableBufferPointer<Float> {
        let start = row < Self.firstRows ? base + forecastCount + row * stateCount : overflowRows[row - Self.firstRows]
        return .init(start: start, count: stateCount)
    }

    /// Prefetches a row.
    func prefetch(_ row: Int) { prefetch_bytes(self[row].baseAddress, stateCount * MemoryLayout<Float>.stride) }

    /// Allocates a row with arbitrary content.
    mutating func allocateRow() -> Int {
        if let row = freeRows.popLast() { return row }
        let row = UnsafeMutablePointer<Float>.allocate(capacity: stateCount)
        row.initialize(repeating: 0, count: stateCount)
        overflowRows.append(row)
        return Self.firstRows + overflowRows.count - 1
    }

    mutating func freeRow(_ row: Int) { freeRows.append(row) }
}

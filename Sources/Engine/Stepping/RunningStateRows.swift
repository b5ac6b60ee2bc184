import CMemory

/// The states of one running state and its newest forecast.
///
/// States are rows of equal length that are handed out and taken back. The forecast and the first rows, which every step
/// reads and writes, lie in one block: as arrays of their own, each would have a header, a count of references and a place
/// somewhere else, and most of what a step of a small model costs is waiting for those. The other rows, snapshots that are
/// seldom read again, are allocated one by one as they are needed: a row of a recipe's state is 5 KiB, and blocks that
/// grew would leave holes behind them, with ten thousand series hundreds of megabytes.
struct RunningStateRows: ~Copyable {
    /// Floats in a row.
    let stateCount: Int
    let forecastCount: Int
    /// `[forecastCount]`, then `[firstRows][stateCount]`.
    private let base: UnsafeMutablePointer<Float>
    /// `[stateCount]` each.
    private var others: [UnsafeMutablePointer<Float>] = []
    private var free: [Int]

    /// A head, an open step, and the first state that it may be rolled back to.
    private static let firstRows = 3

    init(stateCount: Int, forecastCount: Int) {
        (self.stateCount, self.forecastCount) = (stateCount, forecastCount)
        base = .allocate(capacity: forecastCount + Self.firstRows * stateCount)
        base.initialize(repeating: 0, count: forecastCount + Self.firstRows * stateCount)
        free = (0..<Self.firstRows).reversed()
    }

    deinit {
        base.deallocate()
        for row in others { row.deallocate() }
    }

    /// `[forecastCount]`
    var forecast: UnsafeMutableBufferPointer<Float> { .init(start: base, count: forecastCount) }

    /// `[stateCount]`
    subscript(row: Int) -> UnsafeMutableBufferPointer<Float> {
        let start = row < Self.firstRows ? base + forecastCount + row * stateCount : others[row - Self.firstRows]
        return .init(start: start, count: stateCount)
    }

    /// Asks for a row.
    func prefetch(_ row: Int) { prefetch_bytes(self[row].baseAddress, stateCount * MemoryLayout<Float>.stride) }

    /// A row that nobody has.
    mutating func take() -> Int {
        if let row = free.popLast() { return row }
        let row = UnsafeMutablePointer<Float>.allocate(capacity: stateCount)
        row.initialize(repeating: 0, count: stateCount)
        others.append(row)
        return Self.firstRows + others.count - 1
    }

    mutating func giveBack(_ row: Int) { free.append(row) }
}

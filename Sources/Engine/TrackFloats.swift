/// The states of one track and its newest forecast, in one block of memory.
///
/// States are rows of equal length that are handed out and taken back. As arrays of their own, each would have a
/// header, a count of references and a place somewhere else: most of what a step of a small model cost was waiting for
/// those.
struct TrackFloats: ~Copyable {
    /// Floats in a row.
    let stateCount: Int
    let forecastCount: Int
    /// `[forecastCount]`, then `[rows][stateCount]`.
    private var base: UnsafeMutablePointer<Float>
    private var rows: Int
    private var free: [Int]

    /// A head, an open step and what it may be rolled back to. More come one by one: a row of a recipe's state is 10 KiB,
    /// and with ten thousand series rows that nobody needs are most of the memory.
    private static let firstRows = 3

    init(stateCount: Int, forecastCount: Int) {
        (self.stateCount, self.forecastCount, rows) = (stateCount, forecastCount, Self.firstRows)
        base = .allocate(capacity: forecastCount + rows * stateCount)
        base.initialize(repeating: 0, count: forecastCount + rows * stateCount)
        free = (0..<rows).reversed()
    }

    deinit { base.deallocate() }

    /// `[forecastCount]`
    var forecast: UnsafeMutableBufferPointer<Float> { .init(start: base, count: forecastCount) }

    /// `[stateCount]`; valid until the next ``take()``.
    subscript(row: Int) -> UnsafeMutableBufferPointer<Float> {
        .init(start: base + forecastCount + row * stateCount, count: stateCount)
    }

    /// A row that nobody has.
    mutating func take() -> Int {
        if let row = free.popLast() { return row }
        grow()
        return free.removeLast()
    }

    mutating func giveBack(_ row: Int) { free.append(row) }

    private mutating func grow() {
        let (former, count, more) = (base, forecastCount + rows * stateCount, max(1, rows / 4))
        base = .allocate(capacity: count + more * stateCount)
        base.moveInitialize(from: former, count: count)
        (base + count).initialize(repeating: 0, count: more * stateCount)
        former.deallocate()
        free = (rows..<rows + more).reversed()
        rows += more
    }
}

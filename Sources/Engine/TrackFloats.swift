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

    /// Enough for a head, an open step and the snapshots of one lateness.
    private static let usualRows = 8

    init(stateCount: Int, forecastCount: Int) {
        (self.stateCount, self.forecastCount, rows) = (stateCount, forecastCount, Self.usualRows)
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
        let (former, count) = (base, forecastCount + rows * stateCount)
        base = .allocate(capacity: count + rows * stateCount)
        base.moveInitialize(from: former, count: count)
        (base + count).initialize(repeating: 0, count: rows * stateCount)
        former.deallocate()
        free = (rows..<2 * rows).reversed()
        rows *= 2
    }
}

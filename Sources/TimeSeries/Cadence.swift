/// One cadence step of a series' time grid, counted from the Unix epoch: `floor(timestamp / cadence)`.
public typealias Slot = Int64

/// The sampling interval of a series; it divides time into slots.
public struct Cadence: Hashable, Sendable, Codable {
    /// Nanoseconds in one slot, at least 1.
    public let nanoseconds: Int64

    /// - Returns: nil unless `nanoseconds` is positive.
    public init?(nanoseconds: Int64) {
        guard nanoseconds > 0 else { return nil }
        self.nanoseconds = nanoseconds
    }

    /// The slot that contains `timestamp`.
    public func slot(of timestamp: Timestamp) -> Slot { floorDivide(timestamp.nanoseconds, nanoseconds) }

    /// The first instant of `slot`, saturating at the ends of the range of ``Timestamp``.
    public func start(of slot: Slot) -> Timestamp {
        let (product, overflow) = slot.multipliedReportingOverflow(by: nanoseconds)
        return Timestamp(nanoseconds: overflow ? (slot > 0 ? .max : .min) : product)
    }

    /// The number of whole slots in `seconds`, at least 1.
    public func slots(inSeconds seconds: Int64) -> Int {
        let (total, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return max(1, Int(clamping: (overflow ? Int64.max : total) / nanoseconds))
    }
}

extension Cadence {
    /// The number of intervals needed before a cadence is inferred.
    public static let intervalsNeeded = 16

    /// The cadence suggested by the intervals between distinct `timestamps`; nil while there are fewer than
    /// ``intervalsNeeded`` intervals.
    ///
    /// The median interval is snapped to the nearest step, by ratio: 1-2-5-10-15-20-30 s or min; 1-2-3-4-6-8-12 h; one
    /// day or one week; below one second, 1-2-5 × 10ⁿ ns. The order of `timestamps` does not matter.
    public static func inferred(from timestamps: some Sequence<Timestamp>) -> Cadence? {
        let times = Set(timestamps).sorted()
        guard times.count > intervalsNeeded else { return nil }
        let intervals = zip(times.dropFirst(), times).map { $0.nanoseconds(since: $1) }.sorted()
        return Cadence(nanoseconds: snapped(intervals[intervals.count / 2]))
    }

    private static let second: Int64 = 1_000_000_000
    private static let steps: [Int64] = {
        let small = (0..<9).flatMap { n in [1, 2, 5].map { $0 * power(10, n) } }
        let seconds: [Int64] = [1, 2, 5, 10, 15, 20, 30]
        let hours: [Int64] = [1, 2, 3, 4, 6, 8, 12, 24, 168]
        return small + seconds.map { $0 * second } + seconds.map { $0 * 60 * second } + hours.map { $0 * 3600 * second }
    }()

    private static func power(_ base: Int64, _ exponent: Int) -> Int64 { (0..<exponent).reduce(1) { p, _ in p * base } }

    private static func snapped(_ interval: Int64) -> Int64 {
        func ratio(_ step: Int64) -> Double { max(Double(step) / Double(interval), Double(interval) / Double(step)) }
        return steps.min { ratio($0) < ratio($1) } ?? interval
    }
}

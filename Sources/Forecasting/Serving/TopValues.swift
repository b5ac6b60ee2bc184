/// The largest amounts of one quantity that a series has had, and how rare one more of them is.
///
/// Ranks count instead of heights, so that an amount needs no unit and no distribution, and a series that is restless by
/// nature is as quiet here as any other: of n slots, the k largest are k, whatever the series.
struct TopValues {
    /// Amounts that are kept, and floats of the state: in descending order, 0 for none yet.
    static let count = 8
    /// Bits of the largest amount so far, and what one beyond it has more at most.
    private static let recordBits: Float = 3
    private static let mostBeyond: Float = 2
    /// Keeps peers that are nearly equal from making the least step beyond them endlessly rare.
    private static let leastSpread: Float = 0.03

    private let largest: UnsafeMutablePointer<Float>

    init(at floats: UnsafeMutablePointer<Float>) { largest = floats }

    /// Takes the amount of a slot, 0 or more.
    ///
    /// - Returns: the logarithm to base 2 of ``count`` over the slots so far that had as much: 3 for the largest, 2 for
    ///   one like the second, up to 5 beyond the largest; 0 for what ``count`` slots exceeded.
    func take(_ amount: Float) -> Float {
        let last = Self.count - 1
        guard amount > largest[last] else { return 0 }
        let rank = (0..<last).first { largest[$0] < amount } ?? last
        defer { insert(amount, at: rank) }
        guard rank > 0 else { return Self.recordBits + beyond(amount) }
        let share = (amount - largest[rank]) / (largest[rank - 1] - largest[rank])
        return TailProbability.logarithm(Float(Self.count) / (Float(rank + 1) - share))
    }

    /// Forgets one of them: the series has changed since, or it was a fault that should not outshine all to come.
    func forget(_ place: Int) {
        for place in place..<Self.count - 1 { largest[place] = largest[place + 1] }
        largest[Self.count - 1] = 0
    }

    private func insert(_ amount: Float, at rank: Int) {
        for place in stride(from: Self.count - 1, to: rank, by: -1) { largest[place] = largest[place - 1] }
        largest[rank] = amount
    }

    /// Bits beyond the largest: the tail is a power of the amount, its exponent the one the peers suggest (Hill, "A simple
    /// general approach to inference about the tail of a distribution", 1975).
    private func beyond(_ amount: Float) -> Float {
        let last = Self.count - 1
        guard largest[last] > 0 else { return 0 }
        let least = TailProbability.logarithm(largest[last])
        let sum = (0..<last).reduce(Float(0)) { $0 + TailProbability.logarithm(largest[$1]) - least }
        let spread = max(Self.leastSpread, sum / Float(last))
        let step = TailProbability.logarithm(amount) - TailProbability.logarithm(largest[0])
        // 1 / ln 2: the estimate is one of natural logarithms.
        return min(Self.mostBeyond, 1.442695 * step / spread)
    }
}

/// The largest values that a quantity of one series has had, and how rare another such value is.
///
/// Values are judged by rank, not by size, so that no unit and no distribution is needed, and a naturally restless
/// series raises no more alarms than any other: among n slots there are exactly k largest, whatever the series.
struct TopValues {
    /// The number of values that are kept, and of floats in the state: in descending order, 0 for none yet.
    static let count = 8
    /// The bits of a value equal to the largest so far, and the maximum number of additional bits beyond it.
    private static let recordBits: Float = 3
    private static let maximumBeyond: Float = 2
    /// Prevents nearly equal values from making the slightest step beyond them seem extremely rare.
    private static let minimumSpread: Float = 0.03

    private let largest: UnsafeMutablePointer<Float>

    init(at floats: UnsafeMutablePointer<Float>) { largest = floats }

    /// Adds the value of a slot, 0 or more, and returns how rare it is.
    ///
    /// - Returns: the base-2 logarithm of ``count`` divided by the number of slots so far with at least that value: 3
    ///   for the largest, 2 for one like the second, up to 5 beyond the largest; 0 if ``count`` slots exceeded it.
    func insert(_ value: Float) -> Float {
        let last = Self.count - 1
        guard value > largest[last] else { return 0 }
        let rank = (0..<last).first { largest[$0] < value } ?? last
        defer { insert(value, at: rank) }
        guard rank > 0 else { return Self.recordBits + bitsBeyond(value) }
        let share = (value - largest[rank]) / (largest[rank - 1] - largest[rank])
        return TailProbability.logarithm(Float(Self.count) / (Float(rank + 1) - share))
    }

    /// Drops one of the values: the series may have changed since, or the value was a fault that should not mask all
    /// later ones.
    func remove(at rank: Int) {
        for index in rank..<Self.count - 1 { largest[index] = largest[index + 1] }
        largest[Self.count - 1] = 0
    }

    private func insert(_ value: Float, at rank: Int) {
        for index in stride(from: Self.count - 1, to: rank, by: -1) { largest[index] = largest[index - 1] }
        largest[rank] = value
    }

    /// The additional bits of a value beyond the largest: the tail is modeled as a power law, with the exponent
    /// estimated from the kept values (Hill, "A simple general approach to inference about the tail of a distribution",
    /// 1975).
    private func bitsBeyond(_ value: Float) -> Float {
        let last = Self.count - 1
        guard largest[last] > 0 else { return 0 }
        let smallest = TailProbability.logarithm(largest[last])
        let sum = (0..<last).reduce(Float(0)) { $0 + TailProbability.logarithm(largest[$1]) - smallest }
        let spread = max(Self.minimumSpread, sum / Float(last))
        let step = TailProbability.logarithm(value) - TailProbability.logarithm(largest[0])
        // 1 / ln 2: the estimate uses natural logarithms.
        return min(Self.maximumBeyond, 1.442695 * step / spread)
    }
}

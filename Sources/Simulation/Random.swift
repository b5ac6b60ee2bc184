/// A generator of pseudo-random numbers: SplitMix64 (Steele, Lea and Flood 2014), the same on every machine.
public struct Random: Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// 0 ..< bound, which is positive.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func `in`(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

    /// 0 ..< 1
    mutating func fraction() -> Double { Double(next() >> 11) * 0x1p-53 }

    mutating func chance(_ probability: Double) -> Bool { fraction() < probability }

    /// An element of `choices`, which is not empty.
    mutating func pick<Choices: RandomAccessCollection>(_ choices: Choices) -> Choices.Element {
        choices[choices.index(choices.startIndex, offsetBy: below(choices.count))]
    }

    /// A number of `range`, evenly spread over its orders of magnitude.
    mutating func logarithmic(_ range: ClosedRange<Int>) -> Int {
        let bits = Int.bitWidth - range.upperBound.leadingZeroBitCount
        let shift = below(bits)
        return min(range.upperBound, max(range.lowerBound, (1 << shift) + below(1 << shift)))
    }
}

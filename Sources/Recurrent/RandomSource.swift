/// A seeded source of random numbers: equal seeds give equal numbers on every machine (SplitMix64, Steele et al. 2014).
public struct RandomSource: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in 0 ..< 1.
    public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

    /// Uniform in −limit ..< limit.
    public mutating func uniform(limit: Float) -> Float { (2 * uniform() - 1) * limit }

    /// Near enough normal with mean 0 and variance 1: the sum of twelve uniforms less six, which needs no logarithm.
    public mutating func normal() -> Float { (0..<12).reduce(-6) { sum, _ in sum + uniform() } }
}

/// A seeded source of random numbers (SplitMix64, Steele et al. 2014); equal seeds give equal numbers on every machine.
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

    /// Normal with mean 0 and variance 1, by Marsaglia's polar method.
    public mutating func normal() -> Float {
        while true {
            let (x, y) = (symmetric(), symmetric())
            let square = x * x + y * y
            if square > 0, square < 1 { return Float(x * (-2 * Self.logarithm(square) / square).squareRoot()) }
        }
    }

    private mutating func symmetric() -> Double { Double(Int64(bitPattern: next()) >> 10) * 0x1p-53 }

    /// ln x of a positive normal number, from the series of atanh: the last bit of libm's result differs between
    /// machines.
    private static func logarithm(_ x: Double) -> Double {
        let z = (x.significand - 1) / (x.significand + 1)
        var (power, sum) = (z, 0.0)
        for term in stride(from: 1.0, through: 41, by: 2) {
            sum += power / term
            power *= z * z
        }
        return 2 * sum + Double(x.exponent) * 0.693_147_180_559_945_309_4
    }
}

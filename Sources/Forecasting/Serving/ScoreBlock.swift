import TimeSeries

/// The block of slots that are scored together: at most a day and at most 96, so that a row of scores is written only
/// occasionally.
///
/// | floats | what |
/// |---|---|
/// | 1 | the block's number, modulo 2²⁴; −1 before the first |
/// | leads × 3 | for each scored lead: number of actual values, sum of losses, sum of absolute errors |
/// | horizon × 3 | for every lead: number of actual values, those in the outer and in the inner interval |
/// | 32 | tail probabilities of the slots, three per float |
struct ScoreBlock: Sendable {
    /// The leads whose losses are kept: 1, half the horizon and the horizon.
    let leads: [Int]
    let horizon: Int
    static let slots = 96

    let losses = 1
    let coverage: Int
    let tails: Int
    let count: Int

    init(horizon: Int) {
        self.horizon = horizon
        leads = Array(Set([1, max(1, horizon / 2), horizon])).sorted()
        coverage = losses + leads.count * 3
        tails = coverage + horizon * 3
        count = tails + Self.slots / 3
    }

    /// The number of slots in a block for a series with this cadence.
    static func slots(cadenceSeconds: Float) -> Int64 {
        cadenceSeconds > 0 ? max(24, min(Int64(slots), Int64(86_400 / cadenceSeconds))) : Int64(slots)
    }

    /// Starts the block that contains `slot` unless it has been started already.
    ///
    /// - Returns: the offset of the slot in its block.
    func begin(_ slot: Slot, length: Int64, _ block: UnsafeMutablePointer<Float>) -> Int {
        let number = floorDivide(slot, length)
        let number24 = Float(truncating24: number)
        if block[0] != number24 {
            for index in 0..<count { block[index] = 0 }
            block[0] = number24
        }
        return Int(slot &- number &* length)
    }

    /// Discards the block: the next slot starts it again.
    func discard(_ block: UnsafeMutablePointer<Float>) { block[0] = -1 }

    /// Records the score of a forecast, `[quantiles]`, for an actual value.
    func record(
        lead: Int, truth: Float, forecast: UnsafePointer<Float>, loss: Float, _ layout: ScoreLayout,
        _ block: UnsafeMutablePointer<Float>
    ) {
        let width = layout.width
        let inner = width >= 5 ? 1 : 0
        let isInOuter: Float = forecast[0] <= truth && truth <= forecast[width - 1] ? 1 : 0
        let isInInner: Float = forecast[inner] <= truth && truth <= forecast[width - 1 - inner] ? 1 : 0
        let counts = block + coverage + (lead - 1) * 3
        counts[0] += 1
        counts[1] += isInOuter
        counts[2] += isInInner
        guard let index = leads.firstIndex(of: lead) else { return }
        let sums = block + losses + index * 3
        sums[0] += 1
        sums[1] += loss
        sums[2] += (truth - forecast[layout.median]).magnitude
    }

    /// Records the tail probability of the slot at `offset` in the block, as eight bits of its logarithm.
    func record(tail: Float, offset: Int, _ block: UnsafeMutablePointer<Float>) {
        guard !tail.isNaN, (0..<Self.slots).contains(offset) else { return }
        let factors: [Float] = [1, 256, 65_536]
        block[tails + offset / 3] += Float(Self.code(of: tail)) * factors[offset % 3]
    }

    /// The code 1 … 255 for a tail probability of 1 … 2⁻³²; 0 is reserved for a slot without one.
    static func code(of tail: Float) -> UInt8 {
        UInt8(max(1, min(255, 1 - TailProbability.logarithm(tail) * 7.9375)))
    }

    static func tail(of code: UInt8) -> Float? {
        guard code > 0 else { return nil }
        let logarithm = -Float(code - 1) / 7.9375
        let exponent = logarithm.rounded(.down)
        return Float(sign: .plus, exponent: Int(exponent), significand: 1 + logarithm - exponent)
    }
}

extension Float {
    /// `number` modulo 2²⁴, which a float holds exactly.
    init(truncating24 number: Int64) { self = Float(number & 0xFF_FFFF) }
}

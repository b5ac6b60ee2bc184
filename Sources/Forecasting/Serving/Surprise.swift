/// How unusual a surprise is for this very series: the logarithm of the tail probability, mean of two slots, held against
/// its own running mean and deviation, less what is left of the last alarm.
///
/// A series whose values lie far out every day alarms nobody with that, and one alarm is not repeated while it lasts.
struct Surprise {
    /// Floats of the state: mean, variance, slots seen, the last logarithm, what is left of the last alarm.
    static let count = 5
    /// Slots that mean and deviation look back on, and slots after which e⁻¹ of an alarm is left.
    private static let memory: Float = 200
    private static let remaining: Float = 0.99653
    /// Slots before the first alarm.
    private static let settling: Float = 50
    /// Keeps a series that never surprises from alarming at the first crumb.
    private static let leastVariance: Float = 0.02

    private let floats: UnsafeMutablePointer<Float>

    init(at floats: UnsafeMutablePointer<Float>) { self.floats = floats }

    /// Takes the tail probability of a slot.
    ///
    /// - Returns: standard deviations above the usual, 0 for nothing unusual.
    func take(_ tail: Float) -> Float {
        let logarithm = -0.30103 * TailProbability.logarithm(tail)
        let recent = (logarithm + floats[3]) / 2
        floats[3] = logarithm
        floats[4] *= Self.remaining
        let deviation = (floats[1] + Self.leastVariance).squareRoot()
        let height = floats[2] >= Self.settling ? (recent - floats[0]) / deviation : 0
        let alarm = max(0, height - floats[4])
        floats[4] = max(floats[4], height)
        floats[2] = min(floats[2] + 1, Self.memory)
        let difference = recent - floats[0]
        floats[0] += difference / floats[2]
        floats[1] += (difference * difference - floats[1]) / floats[2]
        return alarm
    }
}

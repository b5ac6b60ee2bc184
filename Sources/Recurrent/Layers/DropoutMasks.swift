/// The dropout masks of one call: drawn once, constant over time, inverted, so that the mean stays.
///
/// `implementation` 1 has one mask per gate, 2 one that the gates share.
struct DropoutMasks {
    /// `[copies][batch][inputs]`; nil without dropout of the input.
    let inputs: [Float]?
    /// `[copies][batch][units]`; nil without dropout of `h`.
    let hidden: [Float]?
    let copies: Int

    init(
        batch: Int, inputs: Int, units: Int, rate: Float, recurrentRate: Float, implementation: Int,
        _ random: inout RandomSource
    ) {
        copies = implementation == 1 ? 4 : 1
        self.inputs = Self.draw(copies * batch * inputs, rate, &random)
        hidden = Self.draw(copies * batch * units, recurrentRate, &random)
    }

    static func draw(_ count: Int, _ rate: Float, _ random: inout RandomSource) -> [Float]? {
        guard rate > 0 else { return nil }
        let kept = 1 / (1 - rate)
        return (0..<count).map { _ in random.uniform() < rate ? 0 : kept }
    }

    /// One row as the gates see it: `width` values times each copy of the mask.
    static func expand(
        _ mask: [Float], copies: Int, row: Int, batch: Int, width: Int, _ from: UnsafePointer<Float>,
        to: UnsafeMutablePointer<Float>
    ) {
        for copy in 0..<copies {
            let start = (copy * batch + row) * width
            for place in 0..<width { to[copy * width + place] = from[place] * mask[start + place] }
        }
    }

    /// The derivative of ``expand``: sums what reached the copies.
    static func contract(
        _ mask: [Float], copies: Int, row: Int, batch: Int, width: Int, _ from: UnsafePointer<Float>,
        to: UnsafeMutablePointer<Float>
    ) {
        for place in 0..<width {
            var sum: Float = 0
            for copy in 0..<copies { sum += from[copy * width + place] * mask[(copy * batch + row) * width + place] }
            to[place] = sum
        }
    }
}

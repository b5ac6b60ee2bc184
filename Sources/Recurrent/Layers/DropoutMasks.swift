/// The dropout masks of one call: drawn once, constant over time, and scaled (inverted dropout), so that the mean is
/// preserved.
///
/// `implementation` 1 uses one mask per gate, 2 one mask shared by all gates.
struct DropoutMasks {
    /// `[copies][batch][inputs]`; nil without input dropout.
    let inputs: [Float]?
    /// `[copies][batch][units]`; nil without recurrent dropout.
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
        let scale = 1 / (1 - rate)
        return (0..<count).map { _ in random.uniform() < rate ? 0 : scale }
    }

    /// Expands one row for the gates: `width` values multiplied by each copy of the mask.
    static func expand(
        _ mask: [Float], copies: Int, row: Int, batch: Int, width: Int, _ from: UnsafePointer<Float>,
        to: UnsafeMutablePointer<Float>
    ) {
        for copy in 0..<copies {
            let start = (copy * batch + row) * width
            for index in 0..<width { to[copy * width + index] = from[index] * mask[start + index] }
        }
    }

    /// The derivative of ``expand``: sums the gradients of the copies.
    static func contract(
        _ mask: [Float], copies: Int, row: Int, batch: Int, width: Int, _ from: UnsafePointer<Float>,
        to: UnsafeMutablePointer<Float>
    ) {
        for index in 0..<width {
            var sum: Float = 0
            for copy in 0..<copies { sum += from[copy * width + index] * mask[(copy * batch + row) * width + index] }
            to[index] = sum
        }
    }
}

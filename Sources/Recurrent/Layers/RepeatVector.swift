/// Repeats `[batch, features]` as `[batch, count, features]`; Keras' `RepeatVector`.
public final class RepeatVector: Layer {
    public var name: String
    public let kind = "RepeatVector"
    public let count: Int
    private var saved: [Int]?

    /// - Throws: ``RecurrentError/argument(name:expected:actual:)`` for a count of zero.
    public init(_ count: Int, name: String = "repeat_vector") throws(RecurrentError) {
        try Argument.positive("count", count)
        (self.count, self.name) = (count, name)
    }

    public func build(_ shape: [Int?], _ random: inout RandomSource) throws(RecurrentError) -> [Int?] {
        guard shape.count == 1 else {
            throw .argument(name: "\(name): input", expected: "[features]", actual: "\(shape)")
        }
        return [count] + shape
    }

    public func forward(_ input: Tensor, mask: Mask?, training: Bool) throws(RecurrentError) -> Tensor {
        try input.checkShape("\(name): input", [nil, nil])
        if training { saved = input.shape }
        let width = input.shape[1]
        var values: [Float] = []
        values.reserveCapacity(input.values.count * count)
        for sample in 0..<input.shape[0] {
            for _ in 0..<count { values += input.values[sample * width..<(sample + 1) * width] }
        }
        return Tensor([input.shape[0], count, width], values)
    }

    public func backward(_ gradient: Tensor, wantsInputGradient: Bool) throws(RecurrentError) -> Tensor? {
        guard let saved else { throw .nothingToDifferentiate(layer: name) }
        try gradient.checkShape("\(name): output gradient", [saved[0], count, saved[1]])
        self.saved = nil
        guard wantsInputGradient else { return nil }
        let width = saved[1]
        var sums = [Float](repeating: 0, count: saved[0] * width)
        for sample in 0..<saved[0] {
            for time in 0..<count {
                for feature in 0..<width {
                    sums[sample * width + feature] += gradient.values[(sample * count + time) * width + feature]
                }
            }
        }
        return Tensor(saved, sums)
    }
}

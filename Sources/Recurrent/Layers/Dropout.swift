/// Drops a random part of its inputs during training and scales the rest so that the mean is preserved; Keras'
/// `Dropout`.
public final class Dropout: Layer {
    public var name: String
    public let kind = "Dropout"
    public let rate: Float
    private var random: RandomSource
    private var saved: (shape: [Int], mask: [Float]?)?

    /// - Throws: ``RecurrentError/argument(name:expected:actual:)`` for a rate outside 0 ..< 1.
    public init(_ rate: Float, name: String = "dropout", seed: UInt64 = 0) throws(RecurrentError) {
        try Argument.rate("rate", rate)
        (self.rate, self.name) = (rate, name)
        random = RandomSource(seed: seed)
    }

    public func build(_ shape: [Int?], _ random: inout RandomSource) -> [Int?] {
        self.random = RandomSource(seed: random.next())
        return shape
    }

    public func forward(_ input: Tensor, mask: Mask?, training: Bool) -> Tensor {
        guard training else { return input }
        let drawn = DropoutMasks.draw(input.values.count, rate, &random)
        saved = (input.shape, drawn)
        return Self.product(input, drawn)
    }

    public func backward(_ gradient: Tensor, wantsInputGradient: Bool) throws(RecurrentError) -> Tensor? {
        guard let saved else { throw .nothingToDifferentiate(layer: name) }
        try gradient.checkShape("\(name): output gradient", saved.shape)
        self.saved = nil
        return wantsInputGradient ? Self.product(gradient, saved.mask) : nil
    }

    private static func product(_ tensor: Tensor, _ mask: [Float]?) -> Tensor {
        guard let mask else { return tensor }
        return Tensor(tensor.shape, zip(tensor.values, mask).map { $0 * $1 })
    }
}

/// A table of learned rows, one per index, like Keras' `Embedding`, for callers that manage their own arrays.
public final class Embedding {
    /// `embeddings`, `[count, width]`.
    public let parameter: Parameter
    public let count: Int
    public let width: Int

    /// - Throws: ``RecurrentError/argument(name:expected:actual:)`` for no rows or columns.
    public init(
        _ count: Int, _ width: Int, initializer: Initializer = .randomUniform(from: -0.05, to: 0.05),
        _ random: inout RandomSource
    ) throws(RecurrentError) {
        try Argument.positive("count", count)
        try Argument.positive("width", width)
        (self.count, self.width) = (count, width)
        parameter = Parameter("embeddings", [count, width], initializer.values([count, width], &random))
    }

    public func clearGradient() { parameter.clearGradient() }

    /// Adds the derivative of the loss with respect to one looked-up row, `[width]`.
    public func addGradient(_ index: Int, _ d: UnsafePointer<Float>) {
        parameter.addGradient(from: index * width, width, d)
    }
}

extension Parameter {
    /// Creates a weight tensor for a caller that manages its own parameters.
    ///
    /// - Throws: ``RecurrentError/shape(what:expected:actual:)`` when the product of `shape` overflows.
    public convenience init(
        name: String, shape: [Int], initializer: Initializer, _ random: inout RandomSource
    ) throws(RecurrentError) {
        guard Tensor.count(shape) != nil else { throw .shape(what: name, expected: [], actual: shape) }
        self.init(name, shape, initializer.values(shape, &random))
    }

    public func clearGradient() {
        gradient.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
    }

    /// Adds `count` derivatives to the gradient, starting at index `first`.
    public func addGradient(from first: Int, _ count: Int, _ d: UnsafePointer<Float>) {
        gradient.withUnsafeMutableBufferPointer { gradient in
            for index in 0..<count { gradient[first + index] += d[index] }
        }
    }

    /// Replaces the values.
    ///
    /// - Throws: ``RecurrentError/shape(what:expected:actual:)`` or ``RecurrentError/notFinite(tensor:)``; the values
    ///   are then unchanged.
    public func set(_ values: [Float]) throws(RecurrentError) {
        guard values.count == self.values.count else {
            throw .shape(what: name, expected: shape, actual: [values.count])
        }
        guard values.isFinite else { throw .notFinite(tensor: name) }
        self.values = values
    }
}

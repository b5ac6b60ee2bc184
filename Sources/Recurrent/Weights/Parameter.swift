/// One weight tensor with its training state.
public final class Parameter {
    /// Keras' name: `kernel`, `recurrent_kernel`, `bias`.
    public let name: String
    public let shape: [Int]
    /// Row-major.
    public internal(set) var values: [Float] { didSet { version &+= 1 } }
    /// The derivative of the loss, as long as `values`, from the last backward pass.
    public internal(set) var gradient: [Float]
    let regularizer: Regularizer?
    let constraint: Constraint?
    /// Changes with the values, so that a layer knows when to repack them.
    private(set) var version = 0

    init(
        _ name: String, _ shape: [Int], _ values: [Float], regularizer: Regularizer? = nil,
        constraint: Constraint? = nil
    ) {
        (self.name, self.shape, self.values) = (name, shape, values)
        (self.regularizer, self.constraint) = (regularizer, constraint)
        gradient = [Float](repeating: 0, count: values.count)
    }

    var width: Int { shape.count > 1 ? shape[shape.count - 1] : 1 }

    public var tensor: Tensor { Tensor(shape, values) }

    /// Returns the penalty on the values, and adds its derivative to the gradient.
    func regularize() -> Double { regularizer?.add(values, width: width, to: &gradient) ?? 0 }
    /// The penalty on the values, without touching the gradient.
    var penalty: Double {
        guard let regularizer else { return 0 }
        var unused = gradient
        return regularizer.add(values, width: width, to: &unused)
    }
    func constrain() { constraint?.apply(to: &values, width: width) }

    /// - Throws: ``RecurrentError/shape(what:expected:actual:)``, ``RecurrentError/notFinite(tensor:)``.
    func check(_ tensor: Tensor, in layer: String) throws(RecurrentError) {
        try tensor.checkShape("\(layer)/\(name)", shape)
        try tensor.checkFinite("\(layer)/\(name)")
    }
}

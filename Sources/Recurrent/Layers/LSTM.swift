/// Long short-term memory (Hochreiter and Schmidhuber, 1997), like Keras' layer of that name.
///
///     let lstm = try LSTM(64, returnSequences: true)
///     let y = try lstm(Tensor(shape: [1, 3, 2], values: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])).y   // [1, 3, 64]
///
/// Input `[batch, timesteps, inputs]`; output `[batch, timesteps, units]` with `returnSequences`, else
/// `[batch, units]`. The gates are fused in the order i, f, c, o: kernel `[inputs, 4·units]`, recurrent kernel
/// `[units, 4·units]`, bias `[4·units]`. `c ← f·c + i·activation(z_c)`, `h ← o·activation(c)`.
///
/// The defaults are those of the classic Keras 2 signature; in particular `recurrentActivation` is Keras 2's hard
/// sigmoid. Keras 3 uses ``Activation/sigmoid`` there.
///
/// At a masked timestep `h` and `c` stay unchanged, and the output repeats the previous one. At the first step that is
/// the initial `h`, where Keras' own backends differ from each other. A layer must be used by one thread at a time;
/// ``LSTMCell`` may be shared.
public final class LSTM: Layer {
    /// The states of a batch, `[batch, units]` each.
    public struct State: Sendable, Equatable {
        public let h: Tensor
        public let c: Tensor

        public init(h: Tensor, c: Tensor) { (self.h, self.c) = (h, c) }
    }

    /// The result of a call.
    public struct Output: Sendable {
        /// `[batch, timesteps, units]` or `[batch, units]`.
        public let y: Tensor
        /// The final states, if the layer has `returnState`.
        public let state: State?
    }

    public var name: String
    public let kind = "LSTM"
    /// The length of `h`, of `c` and of each of the four gates.
    public let units: Int
    public let activation: Activation
    public let recurrentActivation: Activation
    public let useBias: Bool
    public let dropout: Float
    public let recurrentDropout: Float
    /// 1 draws one dropout mask per gate, 2 one for all gates; without dropout the two are equivalent.
    public let implementation: Int
    public let returnSequences: Bool
    public let returnState: Bool
    public let goBackwards: Bool
    public let stateful: Bool
    /// Has no effect: in Keras it trades memory for speed. The results are bit-identical.
    public let unroll: Bool
    public let zeroOutputForMask: Bool

    let initializers: Initializers
    let regularizers: Regularizers
    let constraints: Constraints
    let kernels: Kernels
    /// For the weights of a standalone layer; a model supplies its own random source.
    var random: RandomSource
    var dropoutSource = RandomSource(seed: 0)
    var inputs: Int?
    public internal(set) var parameters: [Parameter] = []
    public internal(set) var activityPenalty = 0.0
    /// The states from which a stateful layer continues; nil when it starts at zero.
    public internal(set) var state: State?
    var packing: LSTMPacking?
    var tape: LSTMTape?
    /// The last output during training, for the activity regularizer.
    var lastOutput: Tensor?
    var isDifferentiable = false

    struct Initializers {
        let kernel: Initializer
        let recurrent: Initializer
        let bias: Initializer
        let unitForgetBias: Bool
    }
    struct Regularizers {
        let kernel: Regularizer?
        let recurrent: Regularizer?
        let bias: Regularizer?
        let activity: Regularizer?
    }
    struct Constraints {
        let kernel: Constraint?
        let recurrent: Constraint?
        let bias: Constraint?
    }

    /// - Parameters:
    ///   - units: the length of `h`, of `c` and of every gate.
    ///   - activation: of the candidate and of the output.
    ///   - recurrentActivation: of the gates i, f and o.
    ///   - useBias: whether there is a bias, `[4·units]`.
    ///   - kernelInitializer: of the input weights, `[inputs, 4·units]`.
    ///   - recurrentInitializer: of the recurrent weights, `[units, 4·units]`.
    ///   - biasInitializer: of the bias.
    ///   - unitForgetBias: sets the forget gate's part of the bias to one, overriding the initializer.
    ///   - kernelRegularizer: a penalty on the input weights.
    ///   - recurrentRegularizer: a penalty on the recurrent weights.
    ///   - biasRegularizer: a penalty on the bias.
    ///   - activityRegularizer: a penalty on the output.
    ///   - kernelConstraint: applied to the input weights after every optimizer step.
    ///   - recurrentConstraint: the same for the recurrent weights.
    ///   - biasConstraint: the same for the bias.
    ///   - dropout: the fraction of the inputs that each training call drops, 0 ..< 1; one mask per sample, constant
    ///     over time.
    ///   - recurrentDropout: the same for `h`.
    ///   - implementation: 1 or 2, as in Keras; both compute the same here.
    ///   - returnSequences: output `[batch, timesteps, units]` instead of `[batch, units]`.
    ///   - returnState: output the final `h` and `c` too.
    ///   - goBackwards: process the timesteps in reverse order.
    ///   - stateful: keeps the final states, so that sample i of the next batch continues from sample i of this one.
    ///   - unroll: as in Keras; the result is the same here.
    ///   - zeroOutputForMask: outputs at masked steps are zero instead of the previous output.
    ///   - name: of the layer, in errors and weight files.
    ///   - seed: makes initial weights and dropout masks reproducible; in a ``Sequential`` the model's seed is used
    ///     instead.
    ///   - kernels: the instruction set that computes.
    /// - Throws: ``RecurrentError/argument(name:expected:actual:)``.
    public init(
        _ units: Int, activation: Activation = .tanh, recurrentActivation: Activation = .hardSigmoid,
        useBias: Bool = true, kernelInitializer: Initializer = .glorotUniform,
        recurrentInitializer: Initializer = .orthogonal(), biasInitializer: Initializer = .zeros,
        unitForgetBias: Bool = true, kernelRegularizer: Regularizer? = nil, recurrentRegularizer: Regularizer? = nil,
        biasRegularizer: Regularizer? = nil, activityRegularizer: Regularizer? = nil,
        kernelConstraint: Constraint? = nil, recurrentConstraint: Constraint? = nil, biasConstraint: Constraint? = nil,
        dropout: Float = 0, recurrentDropout: Float = 0, implementation: Int = 1, returnSequences: Bool = false,
        returnState: Bool = false, goBackwards: Bool = false, stateful: Bool = false, unroll: Bool = false,
        zeroOutputForMask: Bool = false, name: String = "lstm", seed: UInt64 = 0, kernels: Kernels = .best
    ) throws(RecurrentError) {
        try Argument.positive("units", units)
        try Argument.rate("dropout", dropout)
        try Argument.rate("recurrentDropout", recurrentDropout)
        guard implementation == 1 || implementation == 2 else {
            throw .argument(name: "implementation", expected: "1 or 2", actual: "\(implementation)")
        }
        (self.units, self.activation, self.recurrentActivation) = (units, activation, recurrentActivation)
        (self.useBias, self.dropout, self.recurrentDropout) = (useBias, dropout, recurrentDropout)
        (self.implementation, self.returnSequences, self.returnState) = (implementation, returnSequences, returnState)
        (self.goBackwards, self.stateful, self.unroll) = (goBackwards, stateful, unroll)
        (self.zeroOutputForMask, self.name, self.kernels) = (zeroOutputForMask, name, kernels)
        initializers = Initializers(
            kernel: kernelInitializer, recurrent: recurrentInitializer, bias: biasInitializer,
            unitForgetBias: unitForgetBias)
        regularizers = Regularizers(
            kernel: kernelRegularizer, recurrent: recurrentRegularizer, bias: biasRegularizer,
            activity: activityRegularizer)
        constraints = Constraints(kernel: kernelConstraint, recurrent: recurrentConstraint, bias: biasConstraint)
        random = RandomSource(seed: seed)
    }

    /// Clears the stored states: the next call starts from zeros, and its batch may have any size.
    public func resetStates() { state = nil }

    /// Makes the next call continue from `state`.
    ///
    /// - Throws: ``RecurrentError/shape(what:expected:actual:)`` or ``RecurrentError/notFinite(tensor:)``; the stored
    ///   states are then unchanged.
    public func resetStates(to state: State) throws(RecurrentError) {
        try check(state, batch: nil)
        self.state = state
    }

    func check(_ state: State, batch: Int?) throws(RecurrentError) {
        try state.h.checkShape("\(name): h", [batch, units])
        try state.c.checkShape("\(name): c", [state.h.shape[0], units])
        try state.h.checkFinite("\(name): h")
        try state.c.checkFinite("\(name): c")
    }
}

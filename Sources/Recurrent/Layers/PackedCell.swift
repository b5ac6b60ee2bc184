internal import CRecurrentKernels

/// Keras' LSTM weights packed for the kernels: `[ceil(units/16)][depth][i f c o × 16]`, where a row of depth is an
/// input or a hidden unit.
///
/// With per-gate dropout masks, each gate has its own copy of the inputs (or of the hidden units).
final class PackedCell {
    let inputs: Int
    let units: Int
    /// Whether each gate reads its own copy of the inputs, and of `h`.
    let perGate: (inputs: Bool, hidden: Bool)
    let kernels: Kernels
    private let activations: (Int32, Int32)
    private let weights: AlignedFloats
    private let bias: AlignedFloats
    /// The C view that the kernels read, created once: creating it would take as long as a step of a stream.
    private let view: UnsafeMutablePointer<crk_cell>

    init(
        inputs: Int, units: Int, activation: Activation, recurrentActivation: Activation,
        perGate: (inputs: Bool, hidden: Bool) = (false, false), kernels: Kernels
    ) {
        (self.inputs, self.units, self.perGate, self.kernels) = (inputs, units, perGate, kernels)
        activations = (activation.code, recurrentActivation.code)
        let blocks = (units + 15) / 16
        weights = AlignedFloats(
            count: blocks * 64 * ((perGate.inputs ? 4 : 1) * inputs + (perGate.hidden ? 4 : 1) * units))
        bias = AlignedFloats(count: blocks * 64)
        view = .allocate(capacity: 1)
        view.initialize(
            to: crk_cell(
                depth: depth, units: units, weights: weights.base, bias: bias.base, activation: activations.0,
                recurrent_activation: activations.1))
    }

    deinit { view.deallocate() }

    /// The number of blocks of 16 units.
    var blocks: Int { (units + 15) / 16 }
    /// Floats between the gates of consecutive rows on a tape.
    var gatesStride: Int { crk_gates_stride(units) }
    /// The number of inputs per row: four times as many when each gate has its own copy.
    var inputDepth: Int { perGate.inputs ? 4 * inputs : inputs }
    var hiddenDepth: Int { perGate.hidden ? 4 * units : units }
    var depth: Int { inputDepth + hiddenDepth }

    /// Whether a backward pass needs the derivatives of the activations in addition to their values.
    var needsSlopes: Bool { crk_has_simple_slopes(activations.0, activations.1) == 0 }

    /// Packs a kernel `[inputs, 4·units]`, a recurrent kernel `[units, 4·units]` and, if there is one, a bias
    /// `[4·units]`.
    func pack(kernel: [Float], recurrentKernel: [Float], bias: [Float]?) {
        pack(kernel, inputs, perGate.inputs, depth: depth, first: 0, to: weights)
        pack(recurrentKernel, units, perGate.hidden, depth: depth, first: inputDepth, to: weights)
        if let bias { pack(bias, 1, false, depth: 1, first: 0, to: self.bias) }
    }

    private func pack(
        _ values: [Float], _ rows: Int, _ perGate: Bool, depth: Int, first: Int, to target: AlignedFloats
    ) {
        values.withUnsafeBufferPointer { values in
            guard let values = values.baseAddress else { return }
            crk_pack(rows, units, perGate ? 1 : 0, depth, first, values, target.base)
        }
    }

    /// Calls `body` with the kernels and their view of this cell, both valid only during the call.
    @inline(__always)
    func withCell(_ body: (UnsafePointer<crk_kernels>, UnsafePointer<crk_cell>) -> Void) {
        withExtendedLifetime(self) { body(kernels.table, view) }
    }
}

internal import CRecurrentKernels

/// Keras' LSTM weights packed for the kernels: `[ceil(units/16)][depth][i f c o × 16]`, where a row of depth is an input
/// or a hidden unit. Dropout that differs from gate to gate gives each gate inputs (or hidden units) of its own.
final class PackedCell {
    let inputs: Int
    let units: Int
    /// Whether each gate reads its own copy of the inputs, and of `h`.
    let perGate: (inputs: Bool, hidden: Bool)
    let kernels: Kernels
    private let activations: (Int32, Int32)
    private let weights: AlignedFloats
    private let bias: AlignedFloats
    /// What the kernels read, made once: a step of a stream is as short as making it would be.
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

    /// Blocks of 16 units.
    var blocks: Int { (units + 15) / 16 }
    /// Floats between one row's gates and the next on a tape.
    var gatesStride: Int { crk_gates_stride(units) }
    /// The inputs as the cell reads them: four times as many where gates have their own.
    var inputDepth: Int { perGate.inputs ? 4 * inputs : inputs }
    var hiddenDepth: Int { perGate.hidden ? 4 * units : units }
    var depth: Int { inputDepth + hiddenDepth }

    /// Whether a backward pass needs the derivatives of the activations beside their values.
    var needsSlopes: Bool { crk_has_simple_slopes(activations.0, activations.1) == 0 }

    /// Takes kernel `[inputs, 4·units]`, recurrent kernel `[units, 4·units]` and bias `[4·units]`, if there is one.
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

    /// The kernels and their view of this cell, for the length of the call.
    @inline(__always)
    func withCell(_ body: (UnsafePointer<crk_kernels>, UnsafePointer<crk_cell>) -> Void) {
        withExtendedLifetime(self) { body(kernels.table, view) }
    }
}

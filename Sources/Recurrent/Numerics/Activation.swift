internal import CRecurrentKernels

/// Keras' elementwise activation functions.
///
/// Keras changed its hard sigmoid between versions 2 and 3, so both are available, under different names.
public enum Activation: String, Sendable, CaseIterable {
    case tanh
    case sigmoid
    /// Keras 2: clip(0.2·x + 0.5, 0, 1).
    case hardSigmoid
    /// Keras 3: clip(x/6 + 0.5, 0, 1).
    case hardSigmoidKeras3
    case linear
    case relu
    case relu6
    /// 0.2·x below zero.
    case leakyReLU
    case elu
    case selu
    case softplus
    case softsign
    case exponential
    /// x·Φ(x), with the error function.
    case gelu
    /// x·σ(x), also called swish.
    case silu
    case mish
    case logSigmoid
    /// x·clip(x/6 + 0.5, 0, 1).
    case hardSilu
    case hardTanh
    case tanhShrink
    case hardShrink
    case softShrink
    case squareplus
    case celu

    var code: Int32 {
        switch self {
        case .tanh: Int32(CRK_TANH)
        case .sigmoid: Int32(CRK_SIGMOID)
        case .hardSigmoid: Int32(CRK_HARD_SIGMOID_KERAS2)
        case .hardSigmoidKeras3: Int32(CRK_HARD_SIGMOID_KERAS3)
        case .linear: Int32(CRK_LINEAR)
        case .relu: Int32(CRK_RELU)
        case .relu6: Int32(CRK_RELU6)
        case .leakyReLU: Int32(CRK_LEAKY_RELU)
        case .elu: Int32(CRK_ELU)
        case .selu: Int32(CRK_SELU)
        case .softplus: Int32(CRK_SOFTPLUS)
        case .softsign: Int32(CRK_SOFTSIGN)
        case .exponential: Int32(CRK_EXPONENTIAL)
        case .gelu: Int32(CRK_GELU)
        case .silu: Int32(CRK_SILU)
        case .mish: Int32(CRK_MISH)
        case .logSigmoid: Int32(CRK_LOG_SIGMOID)
        case .hardSilu: Int32(CRK_HARD_SILU)
        case .hardTanh: Int32(CRK_HARD_TANH)
        case .tanhShrink: Int32(CRK_TANH_SHRINK)
        case .hardShrink: Int32(CRK_HARD_SHRINK)
        case .softShrink: Int32(CRK_SOFT_SHRINK)
        case .squareplus: Int32(CRK_SQUAREPLUS)
        case .celu: Int32(CRK_CELU)
        }
    }
}

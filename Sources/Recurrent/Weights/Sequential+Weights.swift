extension Sequential {
    /// The weights as a safetensors file, named as Keras names them: `lstm/kernel`, `lstm/recurrent_kernel`,
    /// `lstm/bias`, `dense/kernel`, …, in Keras' layout.
    ///
    /// These lines of Python write the same file from a `.keras` file:
    ///
    ///     import keras
    ///     from safetensors.numpy import save_file
    ///     model = keras.saving.load_model("model.keras", compile=False)
    ///     save_file({f"{layer.name}/{weight.name}": weight.numpy()
    ///                for layer in model.layers for weight in layer.weights}, "model.safetensors")
    public var safetensors: Safetensors {
        var tensors: [String: Tensor] = [:]
        for layer in layers {
            for parameter in layer.parameters { tensors["\(layer.name)/\(parameter.name)"] = parameter.tensor }
        }
        return Safetensors(tensors)
    }

    /// Takes the weights of a file; none if one is missing or does not fit. Other tensors in the file are not looked at.
    ///
    /// - Throws: ``RecurrentError/missingTensor(_:found:)`` or ``RecurrentError/shape(what:expected:actual:)``, which
    ///   names the tensor, the shape found and the shape expected.
    public func load(_ file: Safetensors) throws(RecurrentError) {
        var tensors: [Tensor] = []
        for layer in layers {
            for parameter in layer.parameters {
                let name = "\(layer.name)/\(parameter.name)"
                tensors.append(Tensor(parameter.shape, try file.values(name, shape: parameter.shape)))
            }
        }
        try setWeights(tensors)
    }
}

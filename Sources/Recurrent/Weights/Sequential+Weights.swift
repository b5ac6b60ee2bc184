extension Sequential {
    /// The weights as a safetensors file, named as in Keras, `lstm/kernel`, `lstm/recurrent_kernel`, `lstm/bias`,
    /// `dense/kernel`, …, and in Keras' layout.
    ///
    /// This Python code writes the same file from a `.keras` file:
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

    /// Loads the weights from a file, or none of them if one is missing or does not fit; other tensors in the file are
    /// ignored.
    ///
    /// - Throws: ``RecurrentError/missingTensor(_:found:)`` or ``RecurrentError/shape(what:expected:actual:)``, which
    ///   names the tensor, the actual shape and the expected shape.
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

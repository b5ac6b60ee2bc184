extension Sequential {
    /// A table of layers, output shapes and parameter counts, as Keras prints it.
    ///
    /// An LSTM layer has `4·(units·(units + inputs) + units)` parameters.
    public func summary() -> String {
        let rows = zip(layers, outputShapes).map { layer, shape in
            [
                "\(layer.name) (\(layer.kind))", Self.text(shape),
                "\(layer.parameters.reduce(0) { $0 + $1.values.count })",
            ]
        }
        let widths = [29, 26, 10]
        func line(_ cells: [String]) -> String {
            let padded = zip(cells, widths).map { cell, width in
                cell.count < width ? cell + String(repeating: " ", count: width - cell.count) : cell + " "
            }
            var text = padded.joined()
            while text.last == " " { text.removeLast() }
            return text
        }
        let total = parameters.reduce(0) { $0 + $1.values.count }
        let rule = String(repeating: "_", count: 65)
        let header = ["Model: \"\(name)\"", rule, line(["Layer (type)", "Output Shape", "Param #"])]
        let footer = ["Total params: \(total)", "Trainable params: \(total)", "Non-trainable params: 0", rule]
        return
            (header + [String(repeating: "=", count: 65)] + rows.map(line) + [String(repeating: "=", count: 65)]
            + footer).joined(separator: "\n")
    }

    private static func text(_ shape: [Int?]) -> String {
        "(None" + shape.map { ", " + ($0.map(String.init) ?? "None") }.joined() + ")"
    }
}

import Recurrent
import Testing

@Suite("Weights files and summaries")
struct WeightsTests {
    private func model(units: Int = 3) throws -> Sequential {
        try Sequential(
            [LSTM(units, returnSequences: true), LSTM(2), Dropout(0.1), Dense(1)], inputShape: [nil, 4], seed: 3)
    }

    @Test("a model reads its own file back, under Keras' names")
    func roundTrip() throws {
        let (model, other) = (try model(), try self.model())
        let bytes = try model.safetensors.encoded()
        try other.setWeights(other.weights.map { try Tensor(shape: $0.shape, values: $0.values.map { $0 + 1 }) })
        try other.load(Safetensors(decoding: bytes))
        #expect(other.weights == model.weights)
        #expect(
            model.safetensors.tensors.keys.sorted() == [
                "dense/bias", "dense/kernel", "lstm/bias", "lstm/kernel", "lstm/recurrent_kernel", "lstm_1/bias",
                "lstm_1/kernel", "lstm_1/recurrent_kernel",
            ])
    }

    @Test("a file of another model is refused: the tensor, the shape found, the shape expected; nothing is loaded")
    func misfit() throws {
        let (model, other) = (try model(), try self.model(units: 5))
        let before = model.weights
        #expect(throws: RecurrentError.shape(what: "lstm/kernel", expected: [4, 12], actual: [4, 20])) {
            try model.load(other.safetensors)
        }
        var file = model.safetensors
        file.tensors["dense/bias"] = nil
        #expect(throws: RecurrentError.self) { try model.load(file) }
        file.tensors["dense/bias"] = try Tensor(shape: [1], values: [.nan])
        #expect(throws: RecurrentError.notFinite(tensor: "dense/bias")) { try model.load(file) }
        #expect(model.weights == before)
    }

    @Test("a safetensors file reads back the same; NaN, wrong shapes and garbage are refused")
    func file() throws {
        let file = Safetensors([
            "a": try Tensor(shape: [2, 2], values: [1, 2, 3, 4]), "b": try Tensor(shape: [1], values: [5]),
        ])
        let bytes = try file.encoded()
        #expect(try Safetensors(decoding: bytes) == file)
        #expect(throws: RecurrentError.shape(what: "a", expected: [4], actual: [2, 2])) {
            try file.values("a", shape: [4])
        }
        let broken = try Safetensors(["a": Tensor(shape: [1], values: [.nan])]).encoded()
        #expect(throws: RecurrentError.notFinite(tensor: "a")) { try Safetensors(decoding: broken) }
        for cut in 0..<bytes.count {
            #expect(throws: RecurrentError.self) { _ = try Safetensors(decoding: Array(bytes.prefix(cut))) }
        }
    }

    @Test("the summary is Keras': shapes and 4·(units·(units + inputs) + units) parameters")
    func summary() throws {
        let lines = try model().summary().split(separator: "\n").map(String.init)
        #expect(lines[0] == "Model: \"sequential\"")
        #expect(lines[2] == "Layer (type)                 Output Shape              Param #")
        #expect(lines[4] == "lstm (LSTM)                  (None, None, 3)           96")
        #expect(lines[5] == "lstm_1 (LSTM)                (None, 2)                 48")
        #expect(lines[6] == "dropout (Dropout)            (None, 2)                 0")
        #expect(lines[7] == "dense (Dense)                (None, 1)                 3")
        #expect(lines.contains("Total params: 147"))
    }

    private func file(_ header: String, _ data: [UInt8] = []) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { [UInt8]($0) } + Array(header.utf8) + data
    }

    @Test("notes of other programs in a header are passed over; sizes below zero are refused")
    func foreignHeaders() throws {
        let tensor = #""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#
        let noted = try Safetensors(decoding: file(#"{"__metadata__":{"format":"pt"},\#(tensor)}"#, [0, 0, 128, 63]))
        #expect(noted.tensors.keys.sorted() == ["a"] && noted.tensors["a"]?.values == [1])
        for header in [
            #"{"a":{"format":"pt"}}"#, #"{"a":{"dtype":"F32","shape":[-1,0],"data_offsets":[0,0]}}"#,
            #"{"a":{"dtype":"F32","shape":[-3],"data_offsets":[0,0]}}"#,
        ] {
            #expect(throws: RecurrentError.self) { _ = try Safetensors(decoding: file(header)) }
        }
    }
}

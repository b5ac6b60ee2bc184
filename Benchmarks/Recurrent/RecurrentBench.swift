import Recurrent

/// Measures the library on the grid that `run.sh` compares, and prints one line per number:
/// `step_ns in4_u64 ours-avx512 700.1`.
@main
enum RecurrentBench {
    /// Arguments: names of kernels (the best that run here, if none) and of sizes (all, if none).
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        let named = arguments.compactMap { Kernels(named: $0) }
        let sizes = Set(arguments.filter { Kernels(named: $0) == nil })
        for kernels in named.isEmpty ? [Kernels.best] : named {
            func measure(_ section: String, _ size: String, _ value: () throws -> Double) rethrows {
                guard sizes.isEmpty || sizes.contains(size) else { return }
                print(section, size, "ours-\(kernels.name)", try value())
            }
            for (inputs, units) in [(1, 32), (4, 64), (8, 128), (8, 256)] {
                try measure("step_ns", "in\(inputs)_u\(units)") {
                    try step(inputs, units, batch: 1, kernels) * 1e9
                }
            }
            for batch in [256, 4_096] {
                try measure("series_steps_s", "in4_u64_B\(batch)") {
                    Double(batch) / (try step(4, 64, batch: batch, kernels))
                }
            }
            for (timesteps, inputs, units, layers) in [(96, 4, 64, 1), (168, 8, 128, 2)] {
                try measure("train_seqsteps_s", "B32_T\(timesteps)_in\(inputs)_u\(units)_L\(layers)") {
                    32 * Double(timesteps) / (try training(timesteps, inputs, units, layers, kernels))
                }
            }
        }
    }

    /// Seconds per step of `LSTMCell`, in place.
    private static func step(_ inputs: Int, _ units: Int, batch: Int, _ kernels: Kernels) throws -> Double {
        var random = RandomSource(seed: 1)
        let layer = try LSTM(units, recurrentActivation: .sigmoid, kernels: kernels)
        _ = try layer.build([nil, inputs], &random)
        let cell = try layer.cell()
        let x = Array(repeating: Float(0.1), count: batch * inputs)
        var h = Array(repeating: Float(0), count: batch * units)
        var c = h
        return x.withUnsafeBufferPointer { x in
            h.withUnsafeMutableBufferPointer { h in
                c.withUnsafeMutableBufferPointer { c in
                    guard let x = x.baseAddress, let h = h.baseAddress, let c = c.baseAddress else { return .nan }
                    return Measurement.median(of: 9, atLeast: .milliseconds(60)) {
                        cell.step(rows: batch, x: x, xStride: inputs, h: h, c: c, stride: units)
                    }
                }
            }
        }
    }

    /// Seconds per optimizer step of the public `fit`: 32 sequences, loss at the last step, Adam.
    private static func training(
        _ timesteps: Int, _ inputs: Int, _ units: Int, _ count: Int, _ kernels: Kernels
    ) throws -> Double {
        var random = RandomSource(seed: 5)
        func tensor(_ shape: Int...) throws -> Tensor {
            try Tensor(shape: shape, values: (0..<shape.reduce(1, *)).map { _ in random.normal() })
        }
        var layers: [any Layer] = []
        for layer in 0..<count {
            layers.append(
                try LSTM(
                    units, recurrentActivation: .sigmoid, returnSequences: layer < count - 1, kernels: kernels))
        }
        layers.append(try Dense(1, kernels: kernels))
        let model = try Sequential(layers, inputShape: [timesteps, inputs], seed: 1)
        model.compile(Optimizer(.adam(), learningRate: 0.001, kernels: kernels), loss: .meanSquaredError)
        let (x, y) = (try tensor(32, timesteps, inputs), try tensor(32, 1))
        let epochs = 4
        return try Measurement.median(of: 7, atLeast: .milliseconds(300)) {
            try model.fit(x, y, batchSize: 32, epochs: epochs)
        } / Double(epochs)
    }
}

enum Measurement {
    /// The median of `count` means, each over as many calls as take the given time.
    static func median(of count: Int, atLeast least: Duration, _ body: () throws -> Void) rethrows -> Double {
        for _ in 0..<5 { try body() }
        var calls = 1
        while try mean(calls, body) * Double(calls) < seconds(least) { calls *= 2 }
        var means: [Double] = []
        for _ in 0..<count { means.append(try mean(calls, body)) }
        return means.sorted()[count / 2]
    }

    private static func mean(_ calls: Int, _ body: () throws -> Void) rethrows -> Double {
        let elapsed = try ContinuousClock().measure { for _ in 0..<calls { try body() } }
        return seconds(elapsed) / Double(calls)
    }

    private static func seconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    }
}

import Recurrent
import Testing

/// Numbers for tests, the same in every run.
struct Numbers {
    private var source: RandomSource

    init(seed: UInt64) { source = RandomSource(seed: seed) }

    mutating func tensor(_ shape: Int..., limit: Float = 1) throws -> Tensor {
        let values = (0..<shape.reduce(1, *)).map { _ in source.uniform(limit: limit) }
        return try Tensor(shape: shape, values: values)
    }

    mutating func state(_ batch: Int, _ units: Int) throws -> LSTM.State {
        LSTM.State(h: try tensor(batch, units, limit: 0.5), c: try tensor(batch, units, limit: 0.5))
    }
}

extension LSTM {
    /// The layer with weights for `width` inputs.
    func built(_ width: Int) throws -> LSTM {
        var random = RandomSource(seed: 5)
        _ = try build([nil, width], &random)
        return self
    }
}

extension Tensor {
    /// The part of the second axis (time).
    func slice(_ range: Range<Int>) throws -> Tensor {
        let (all, width) = (shape[1], values.count / (shape[0] * shape[1]))
        let picked = (0..<shape[0]).flatMap {
            values[($0 * all + range.lowerBound) * width..<($0 * all + range.upperBound) * width]
        }
        return try Tensor(shape: [shape[0], range.count] + shape.dropFirst(2), values: picked)
    }

    /// One sample, as a batch of one.
    func sample(_ index: Int) throws -> Tensor {
        let length = values.count / shape[0]
        return try Tensor(
            shape: [1] + shape.dropFirst(), values: Array(values[index * length..<(index + 1) * length]))
    }

    var bits: [UInt32] { values.map(\.bitPattern) }
}

extension [Tensor] {
    /// FNV-1a over all bits.
    var hash64: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for bits in flatMap(\.bits) { hash = (hash ^ UInt64(bits)) &* 0x100_0000_01B3 }
        return hash
    }
}

func expectClose(
    _ found: [Float], _ expected: [Float], within tolerance: Float = 2e-5, _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found.count == expected.count, comment, sourceLocation: sourceLocation)
    let largest = zip(found, expected).map { ($0 - $1).magnitude }.max() ?? 0
    #expect(largest <= tolerance, comment, sourceLocation: sourceLocation)
}

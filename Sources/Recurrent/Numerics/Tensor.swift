/// A multidimensional array of float32: `values` in row-major order, as many as the product of `shape`.
public struct Tensor: Sendable, Equatable {
    public let shape: [Int]
    public private(set) var values: [Float]

    /// - Throws: ``RecurrentError/shape(what:expected:actual:)`` when the number of values does not match `shape`.
    public init(shape: [Int], values: [Float]) throws(RecurrentError) {
        guard shape.allSatisfy({ $0 >= 0 }), Self.count(shape) == values.count else {
            throw .shape(what: "values", expected: shape, actual: [values.count])
        }
        self.init(shape, values)
    }

    /// Without a check, for values whose count is known to match.
    init(_ shape: [Int], _ values: [Float]) { (self.shape, self.values) = (shape, values) }

    /// Creates a tensor, every value of which `body` must write.
    init(_ shape: [Int], writing body: (UnsafeMutableBufferPointer<Float>) -> Void) {
        self.init(shape, [Float](count: Self.count(shape) ?? 0, writing: body))
    }

    init(zeros shape: [Int]) { self.init(shape, [Float](repeating: 0, count: Self.count(shape) ?? 0)) }

    /// The product of the lengths; nil when it overflows.
    static func count(_ shape: [Int]) -> Int? {
        var product = 1
        for length in shape {
            let (result, overflow) = product.multipliedReportingOverflow(by: length)
            if overflow { return nil }
            product = result
        }
        return product
    }

    /// The length of the last axis.
    var width: Int { shape.last ?? 1 }

    mutating func withMutableValues(_ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
        values.withUnsafeMutableBufferPointer { body($0) }
    }

    /// The samples at `indices`, along the first axis.
    func samples(_ indices: some Collection<Int>) -> Tensor {
        let length = values.count / max(1, shape.first ?? 1)
        var picked: [Float] = []
        picked.reserveCapacity(indices.count * length)
        for index in indices { picked += values[index * length..<(index + 1) * length] }
        return Tensor([indices.count] + shape.dropFirst(), picked)
    }

    /// The timesteps in `range`, along the second axis.
    func timesteps(_ range: Range<Int>) -> Tensor {
        let (batch, all) = (shape[0], shape[1])
        let length = values.count / max(1, batch * all)
        var picked: [Float] = []
        picked.reserveCapacity(batch * range.count * length)
        for sample in 0..<batch {
            let start = sample * all * length
            picked += values[start + range.lowerBound * length..<start + range.upperBound * length]
        }
        return Tensor([batch, range.count] + shape.dropFirst(2), picked)
    }

    func checkFinite(_ name: String) throws(RecurrentError) {
        guard values.isFinite else { throw .notFinite(tensor: name) }
    }

    /// `expected` contains nil where any length is allowed.
    func checkShape(_ name: String, _ expected: [Int?]) throws(RecurrentError) {
        guard shape.count == expected.count, zip(shape, expected).allSatisfy({ $1 == nil || $0 == $1 }) else {
            throw .shape(what: name, expected: expected, actual: shape)
        }
    }
}

extension [Float] {
    /// Whether all elements are finite: x − x is zero only for finite numbers.
    var isFinite: Bool {
        withUnsafeBufferPointer { values in
            var difference: Float = 0
            for value in values { difference += value - value }
            return difference == 0
        }
    }
}

/// The timesteps that count: `[batch, timesteps]`, false where the input is padding.
public struct Mask: Sendable, Equatable {
    public let batch: Int
    public let timesteps: Int
    /// Row-major; 1 where a timestep counts, else 0.
    let values: [UInt8]

    /// - Throws: ``RecurrentError/shape(what:expected:actual:)`` when the rows differ in length.
    public init(_ rows: [[Bool]]) throws(RecurrentError) {
        let length = rows.first?.count ?? 0
        if let odd = rows.first(where: { $0.count != length }) {
            throw .shape(what: "mask", expected: [length], actual: [odd.count])
        }
        (batch, timesteps) = (rows.count, length)
        values = rows.flatMap { $0.map { $0 ? 1 : 0 } }
    }
}

import Foundation
import Recurrent
import Testing

@Suite("Parts that callers run themselves")
struct ProjectionTests {
    @Test("logarithm and inverse hyperbolic sine are right to a few last places, on every set of kernels the same")
    func maps() throws {
        var expected: [UInt32]?
        let x: [Float] = [1e-30, 1e-8, 1e-3, 0.1, 0.5, 0.99, 1, 1.01, 2, 10, 12_345, 1e9, 1e17]
        for kernels in Kernels.available {
            let (log, asinh) = (kernels.log(x), kernels.asinh(x + x.map { -$0 }))
            for (place, value) in x.enumerated() {
                let (a, b) = (Foundation.log(Double(value)), Foundation.asinh(Double(value)))
                #expect(abs(Double(log[place]) - a) <= 2e-7 * max(1, abs(a)), "\(kernels.name) log \(value)")
                #expect(abs(Double(asinh[place]) - b) <= 5e-7 * b, "\(kernels.name) asinh \(value)")
                #expect(asinh[place + x.count] == -asinh[place])
            }
            #expect(kernels.log([0])[0].isFinite && kernels.asinh([-3e38])[0].isFinite)
            #expect(kernels.log([.nan])[0].isNaN && kernels.asinh([.nan])[0].isNaN)
            guard kernels.arithmetic == Kernels.best.arithmetic else { continue }
            let bits = (log + asinh).map(\.bitPattern)
            #expect(bits == expected ?? bits)
            expected = bits
        }
    }

    @Test("a projection's gradients, added up part by part, are those of its formula")
    func gradients() throws {
        var numbers = Numbers(seed: 3)
        var random = RandomSource(seed: 4)
        let (rows, inputs, outputs) = (7, 5, 70)
        let part = try Projection(inputs, outputs, biasInitializer: .randomNormal(mean: 0, deviation: 1), &random)
        let x = try numbers.tensor(rows, inputs).values
        let d = try numbers.tensor(rows, outputs).values
        var padded = [Float](repeating: 0, count: rows * part.gradientStride)
        for row in 0..<rows {
            for column in 0..<outputs { padded[row * part.gradientStride + column] = d[row * outputs + column] }
        }
        part.beginGradients()
        part.addGradients(rows: 3, x, stride: inputs, padded)
        part.addGradients(
            rows: rows - 3, Array(x[(3 * inputs)...]), stride: inputs, Array(padded[(3 * part.gradientStride)...]))
        part.finishGradients()
        var dX = [Float](repeating: 0, count: rows * inputs)
        part.inputGradient(rows: rows, padded, to: &dX, stride: inputs)
        func sum(_ count: Int, _ term: (Int) -> Float) -> Float { (0..<count).reduce(0) { $0 + term($1) } }
        let kernel = part.kernel.values
        expectClose(
            part.kernel.gradient,
            (0..<inputs * outputs).map { place in
                sum(rows) { x[$0 * inputs + place / outputs] * d[$0 * outputs + place % outputs] }
            })
        expectClose(
            try #require(part.bias).gradient, (0..<outputs).map { column in sum(rows) { d[$0 * outputs + column] } })
        expectClose(
            dX,
            (0..<rows * inputs).map { place in
                sum(outputs) { d[place / inputs * outputs + $0] * kernel[place % inputs * outputs + $0] }
            })
    }

    @Test("an embedding adds up the gradients of each row, and a cross product sums in double precision")
    func sums() throws {
        var random = RandomSource(seed: 1)
        let table = try Embedding(3, 2, &random)
        table.clearGradient()
        table.addGradient(2, [1, 2])
        table.addGradient(0, [3, 4])
        table.addGradient(2, [10, 20])
        #expect(table.parameter.gradient == [3, 4, 0, 0, 11, 22])
        let product = CrossProduct(depth: 2, columns: 3)
        var rows = [Float](repeating: 0, count: 2 * product.stride)
        rows.replaceSubrange(0..<3, with: [1, 2, 3])
        rows.replaceSubrange(product.stride..<product.stride + 3, with: [4, 5, 6])
        product.add(rows: 2, rows)
        product.add(rows: 1, rows)
        #expect(product.sums == [18, 24, 30, 24, 33, 42])
        #expect(throws: RecurrentError.self) { try table.parameter.set([1]) }
    }
}

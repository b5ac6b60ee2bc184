import Recurrent
import Testing

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

@Suite("The guide What units means")
struct GuideTests {
    @Test("its snippets do what it says")
    func snippets() throws {
        let x = try Tensor(shape: [1, 5, 2], values: [1, 0, 0, 1, 1, 1, 0, 0, 1, 0])
        let last = try LSTM(3)(x).y
        let every = try LSTM(3, returnSequences: true)(x).y
        #expect(last.shape == [1, 3])
        #expect(every.shape == [1, 5, 3])

        let layer = try LSTM(3)
        _ = try layer(x)
        #expect(layer.weights.map(\.shape) == [[2, 12], [3, 12], [12]])
        #expect(layer.parameters.reduce(0) { $0 + $1.values.count } == 72)

        var weights = layer.weights
        let own = (0..<36).map { place in place % 12 % 3 == place / 12 ? weights[1].values[place] : 0 }
        weights[1] = try Tensor(shape: [3, 12], values: own)
        let uncoupled = try LSTM(3)
        _ = try uncoupled(x)
        try uncoupled.setWeights(weights)

        let alone = try LSTM(1)
        _ = try alone(x)
        let columns = [0, 3, 6, 9]
        try alone.setWeights([
            Tensor(shape: [2, 4], values: (0..<2).flatMap { row in columns.map { weights[0].values[row * 12 + $0] } }),
            Tensor(shape: [1, 4], values: columns.map { weights[1].values[$0] }),
            Tensor(shape: [4], values: columns.map { weights[2].values[$0] }),
        ])
        #expect(try uncoupled(x).y.values[0] == alone(x).y.values[0])
        #expect(try uncoupled(x).y.values[0] != layer(x).y.values[0])

        let first = try Tensor(shape: [1, 1, 2], values: [1, 2])
        let padded = try Tensor(shape: [1, 4, 2], values: [1, 2, 0, 0, 0, 0, 0, 0])
        let mask = try Mask([[true, false, false, false]])
        #expect(try layer(padded).y != layer(first).y)
        #expect(try layer(padded, mask: mask).y == layer(first).y)

        let stream = try LSTM(3, stateful: true)
        let whole = try stream(x).y
        stream.resetStates()
        _ = try stream(Tensor(shape: [1, 2, 2], values: [1, 0, 0, 1]))
        let rest = try stream(Tensor(shape: [1, 3, 2], values: [1, 1, 0, 0, 1, 0])).y
        #expect(rest == whole)

        let cell = try stream.cell()
        var (h, c) = ([Float](repeating: 0, count: 3), [Float](repeating: 0, count: 3))
        for step in 0..<5 { try cell.step(Array(x.values[2 * step..<2 * step + 2]), h: &h, c: &c) }
        #expect(h == whole.values)
    }

    @Test("the snippets that are run are those that are printed")
    func sameText() throws {
        let here = URL(filePath: #filePath)
        let root = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let guide = try String(contentsOf: root.appending(path: "docs/guides/what-units-means.md"), encoding: .utf8)
        let source = try String(contentsOf: here, encoding: .utf8)
        func normalized(_ text: some StringProtocol) -> String {
            text.split(separator: "\n").map { line in String(line.drop { $0 == " " }) }.filter { !$0.isEmpty }
                .joined(separator: "\n")
        }
        let blocks = guide.split(separator: "```swift\n").dropFirst().compactMap { $0.split(separator: "```").first }
        #expect(blocks.count == 6)
        for block in blocks { #expect(normalized(source).contains(normalized(block))) }
    }
}

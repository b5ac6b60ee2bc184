#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The private folder of one training run: how the daemon and the child that trains exchange files.
///
/// In: `order.json`, `panel.npy` (float64 `[series, slots]`, NaN where a series has no value), weights of contenders.
/// Out: `weights`, `result.json`. Children never see the database.
public struct RunFolder: Sendable {
    public let url: URL

    public init(_ url: URL) { self.url = url }

    /// Writes what the child needs.
    public func write(_ order: TrainingOrder, _ panel: Panel, weights: [String: [UInt8]]) throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        try Data(NPY.encode(panel.series.map { $0.values.map { Double($0) } })).write(to: file("panel.npy"))
        for (name, bytes) in weights { try Data(bytes).write(to: file(name)) }
        try JSONEncoder().encode(order).write(to: file("order.json"))
    }

    public func readOrder() throws -> (order: TrainingOrder, panel: Panel) {
        let order = try JSONDecoder().decode(TrainingOrder.self, from: Data(contentsOf: file("order.json")))
        return (order, try PanelFile.read(values: file("panel.npy"), columns: order.columns))
    }

    public func readWeights(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: file(name))) }

    /// Writes what came of it; the result last, so that a result means that the weights are whole.
    public func write(_ result: TrainingResult, weights: [UInt8]) throws {
        try Data(weights).write(to: file("weights"))
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        try encoder.encode(result).write(to: file("result.json"), options: .atomic)
    }

    public func readResult() throws -> (result: TrainingResult, weights: [UInt8]) {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let result = try decoder.decode(TrainingResult.self, from: Data(contentsOf: file("result.json")))
        return (result, try readWeights("weights"))
    }

    public func remove() { try? FileManager.default.removeItem(at: url) }

    private func file(_ name: String) -> URL { url.appending(path: name) }
}

import TimeSeries

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
    let folder: Directory

    /// A folder that is there: how the child opens the one it is given.
    public init(_ url: URL) throws { folder = try Directory(opening: url.path) }

    init(_ folder: Directory) { self.folder = folder }

    public var url: URL { URL(filePath: folder.path) }

    /// Writes what the child needs.
    public func write(_ request: TrainingRequest, _ panel: Panel, weights: [String: [UInt8]]) throws {
        try folder.write(NPY.encode(panel.series.map { $0.values.map { Double($0) } }), to: "panel.npy")
        for (name, bytes) in weights { try folder.write(bytes, to: name) }
        try folder.write([UInt8](JSONEncoder().encode(request)), to: "order.json")
    }

    public func readRequest() throws -> (request: TrainingRequest, panel: Panel) {
        let request = try JSONDecoder().decode(TrainingRequest.self, from: Data(folder.read("order.json")))
        return (request, try PanelFile.read(values: "panel.npy", in: folder, columns: request.columns))
    }

    public func readWeights(_ name: String) throws -> [UInt8] { try folder.read(name) }

    /// Writes what came of it; the result last, so that a result means that the weights are whole.
    public func write(_ result: TrainingResult, weights: [UInt8]) throws {
        try folder.write(weights, to: "weights")
        let encoder = JSONEncoder()
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        try folder.write([UInt8](encoder.encode(result)), to: "result.json")
    }

    public func readResult() throws -> (result: TrainingResult, weights: [UInt8]) {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        let result = try decoder.decode(TrainingResult.self, from: Data(folder.read("result.json")))
        return (result, try readWeights("weights"))
    }

    /// What a run makes in its folder, `plugins` for what the child exchanges with a plugin among it.
    static let contents = OwnFiles { name in
        ["order.json", "panel.npy", "result.json", "weights", TrainingRequest.start].contains(name)
            || OwnFiles.isNumbered(name, "v")
    } folder: { name in
        name == PluginExchange.folder ? PluginExchange.contents : nil
    }
}

/// The folder that holds the run folders, each named by a number of its own.
public struct RunFolders: Sendable {
    private let folder: Directory

    /// Made if there is none.
    public init(_ url: URL) throws { folder = try Directory.own(url.path) }

    public func make() throws -> RunFolder { RunFolder(try folder.numberedFolder().folder) }

    /// Removes all runs with what they made. Earlier versions named them after forecasters.
    ///
    /// - Returns: the paths of those that were removed, and of what is not ours and stays.
    @discardableResult
    public func removeAll() -> (removed: [String], stays: [String]) {
        folder.remove(
            OwnFiles { _ in
                false
            } folder: {
                NameRule.allows($0) ? RunFolder.contents : nil
            })
    }

    /// Removes one run with what it made; what is not ours stays.
    public func remove(_ run: RunFolder) {
        folder.remove(
            OwnFiles { _ in
                false
            } folder: {
                run.url.lastPathComponent == $0 ? RunFolder.contents : nil
            })
    }
}

import TimeSeries

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The private folder of one training run, in which the daemon and the training child process exchange files.
///
/// Input: `order.json`, `panel.npy` (float64 `[series, slots]`, NaN where a series has no value), weights of
/// contenders. Output: `weights`, `result.json`. Child processes never see the database.
public struct RunFolder: Sendable {
    let folder: Directory

    /// Opens an existing folder: the child opens the one it is given.
    public init(_ url: URL) throws { folder = try Directory(opening: url.path) }

    init(_ folder: Directory) { self.folder = folder }

    public var url: URL { URL(filePath: folder.path) }

    /// Writes the input of the child process.
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

    /// Writes the result, `result.json` last, so that its presence means that the weights are complete.
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

    /// The contents that a run creates in its folder, including `plugins` for exchanges between the child and a plugin.
    static let contents = ManagedFiles { name in
        ["order.json", "panel.npy", "result.json", "weights", TrainingRequest.start].contains(name)
            || ManagedFiles.isNumbered(name, "v")
    } folder: { name in
        name == PluginExchange.folder ? PluginExchange.contents : nil
    }
}

/// The folder that contains the run folders, each named by a unique number.
public struct RunFolders: Sendable {
    private let folder: Directory

    /// Opens the folder, and creates it if it does not exist.
    public init(_ url: URL) throws { folder = try Directory.openOrCreate(url.path) }

    public func make() throws -> RunFolder { RunFolder(try folder.numberedFolder().folder) }

    /// Removes all runs and their contents; earlier versions named the folders after forecasters.
    ///
    /// - Returns: the paths of the removed runs, and of the unmanaged entries that remain.
    @discardableResult
    public func removeAll() -> (removed: [String], stays: [String]) {
        folder.remove(
            ManagedFiles { _ in
                false
            } folder: {
                NameRule.allows($0) ? RunFolder.contents : nil
            })
    }

    /// Removes one run and its contents; unmanaged entries remain.
    public func remove(_ run: RunFolder) {
        folder.remove(
            ManagedFiles { _ in
                false
            } folder: {
                run.url.lastPathComponent == $0 ? RunFolder.contents : nil
            })
    }
}

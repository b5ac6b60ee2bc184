import ControlInterface
import Forecasting
import Varlink

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The folder through which the daemon and its plugins exchange weights. It also keeps each model's description, so
/// that the daemon can start even if a plugin cannot.
struct PluginFiles: Sendable {
    let folder: URL

    /// The name of a model: equal methods, specifications and weights have equal names.
    func name(_ manifest: Manifest, _ specification: ForecastSpecification, _ weights: [UInt8]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = try encoder.encode(specification)
        var hash = Hash()
        for part in [Array(manifest.version.utf8), [UInt8](text), weights] { hash.add(part) }
        return "\(manifest.name)-\(String(hash.value, radix: 16))"
    }

    /// 64-bit FNV-1a over parts and their lengths.
    private struct Hash {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325

        mutating func add(_ bytes: [UInt8]) {
            for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
            value = (value ^ UInt64(bytes.count)) &* 0x100_0000_01b3
        }
    }

    /// Stores weights.
    ///
    /// - Returns: the path; nil if there are no weights.
    func write(_ weights: [UInt8], of model: String) throws -> String? {
        guard !weights.isEmpty else { return nil }
        let folder = try Directory.openOrCreate(folder.path)
        let name = PluginExchange.weights(of: model)
        if !folder.hasFile(name) { try folder.write(weights, to: name) }
        return "\(folder.path)/\(name)"
    }

    func description(of model: String) -> ForecasterInterface.Load.Reply? {
        let name = PluginExchange.description(of: model)
        guard let bytes = try? Directory(opening: folder.path).read(name) else { return nil }
        return try? JSONBytes.decode(ForecasterInterface.Load.Reply.self, bytes)
    }

    func write(_ description: ForecasterInterface.Load.Reply, of model: String) throws {
        try Directory.openOrCreate(folder.path).write(
            JSONBytes.encode(description), to: PluginExchange.description(of: model))
    }
}

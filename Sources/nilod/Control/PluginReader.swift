import ControlInterface
import Forecasting
import Glibc
import PluginHost
import TOMLKit

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Finds plugins by their manifests, and starts none.
struct PluginReader {
    /// Searched in this order behind the configured ones; of two plugins of one name the first counts.
    static let defaultFolders = ["/usr/local/lib/nilometer/plugins", "/usr/lib/nilometer/plugins"]

    static func find(in folders: [String]) -> [FoundPlugin] {
        var found: [FoundPlugin] = []
        var names = Set(Methods.all.map(\.manifest.name))
        for parent in folders {
            let children = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
            for child in children.sorted() where access("\(parent)/\(child)/plugin.toml", F_OK) == 0 {
                let folder = "\(parent)/\(child)"
                do {
                    let plugin = try read(folder)
                    guard names.insert(plugin.manifest.name).inserted else {
                        throw SettingsError(
                            file: folder + "/plugin.toml", line: nil, key: "name",
                            problem: "a name of its own; \"\(plugin.manifest.name)\" is taken")
                    }
                    found.append(.usable(plugin))
                } catch {
                    found.append(.refused(name: child, folder: folder, reason: "\(error)"))
                }
            }
        }
        return found
    }

    /// Reads the manifest of the plugin in `folder`.
    ///
    /// - Throws: ``SettingsError``.
    static func read(_ folder: String) throws -> PluginManifest {
        let section = try Settings.section(folder + "/plugin.toml")
        // First, because a manifest of another contract may have anything else.
        let contract = try section.required("contract") { try section.integer($0, 1...1_000_000) }
        guard contract == ForecasterInterface.contract else {
            throw section.error("contract", "\(ForecasterInterface.contract), which this nilod speaks, not \(contract)")
        }
        let manifest = Manifest(
            name: try section.required("name", section.name),
            version: try section.required("version", section.string),
            summary: try section.string("summary") ?? "",
            parameters: try section.sections("parameter").map { try ParameterDescription($0) })
        let capabilities = try section.strings("capabilities") ?? []
        guard capabilities.allSatisfy({ $0 == "train" }) else {
            throw section.error("capabilities", "a list that holds \"train\" or nothing")
        }
        var plugin = PluginManifest(
            manifest: manifest, command: try command(section, folder), folder: folder,
            isTrainable: !capabilities.isEmpty)
        plugin.deadline = try section.duration("deadline").map { .nanoseconds($0) } ?? plugin.deadline
        plugin.startup = try section.duration("startup").map { .nanoseconds($0) } ?? plugin.startup
        try readLimits(section, &plugin.limits)
        try section.finish()
        return plugin
    }

    private static func readLimits(_ section: Section, _ limits: inout ChildLimits) throws {
        if let megabytes = try section.integer("memory_mb", 1...1_048_576) { limits.memory = Int64(megabytes) << 20 }
        limits.files = try section.integer("files", 8...65_536) ?? limits.files
        limits.processes = try section.integer("processes", 1...65_536) ?? limits.processes
        limits.niceness = try section.integer("nice", 0...19) ?? limits.niceness
    }

    private static func command(_ section: Section, _ folder: String) throws -> [String] {
        let command = try section.required("command", section.strings)
        guard let program = command.first, !program.isEmpty else {
            throw section.error("command", "a list of strings, the program first")
        }
        let candidates =
            program.contains("/")
            ? [program.hasPrefix("/") ? program : folder + "/" + program]
            : (Settings.environment("PATH") ?? "/usr/bin:/bin").split(separator: ":").map { "\($0)/\(program)" }
        guard candidates.contains(where: { access($0, X_OK) == 0 }) else {
            let isThere = candidates.contains { access($0, F_OK) == 0 }
            throw section.error(
                "command",
                isThere
                    ? "a program that may be run; \"\(program)\" may not: chmod +x"
                    : "a program that is there; \"\(program)\" is not")
        }
        return command
    }
}

extension ParameterDescription {
    fileprivate init(_ section: Section) throws {
        let name = try section.required("name", section.string)
        let value = try section.required("default", section.parameter)
        let low = try section.number("minimum", -.greatestFiniteMagnitude ... .greatestFiniteMagnitude)
        let high = try section.number("maximum", -.greatestFiniteMagnitude ... .greatestFiniteMagnitude)
        let (lower, upper) = (low ?? -.greatestFiniteMagnitude, high ?? .greatestFiniteMagnitude)
        guard lower <= upper else { throw section.error("maximum", "at least the minimum") }
        self.init(
            name, value, range: low == nil && high == nil ? nil : lower...upper,
            choices: try section.strings("choices") ?? [], try section.string("summary") ?? "")
        do {
            let manifest = Manifest(name: "plugin.toml", version: "", summary: "", parameters: [self])
            _ = try manifest.resolve([name: value])
        } catch {
            throw section.error("default", expectation)
        }
        try section.finish()
    }
}

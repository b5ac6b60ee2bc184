import ArgumentParser
import Glibc
import PluginHost

/// Tries a plugin out; `niloctl plugin check` runs it.
struct CheckPlugin: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-plugin", abstract: "Try a plugin out and say what it does wrong.",
        discussion: "Exits with 65 if something fails, with 78 if its manifest cannot be used.", shouldDisplay: false)

    @Argument(help: "The folder with plugin.toml.") var folder: String

    func run() throws {
        let plugin: PluginManifest
        do {
            plugin = try PluginReader.read(Self.absolute(folder))
        } catch {
            throw Exit.say("\(error)", 78)
        }
        Console.print("\(plugin.manifest.name) \(plugin.manifest.version): plugin.toml is fine")
        let files = try ScratchFolder.make("nilometer-check")
        let isFine = Conformance(plugin, launcher: Executable.own, folder: files) { line in
            Console.complain("\(plugin.manifest.name): \(line)")
        }.run { finding in
            Console.print("\(finding.failure == nil ? "ok  " : "FAIL") \(finding.check)")
            if let failure = finding.failure { Console.print("     \(failure)") }
        }
        if !isFine { throw ExitCode(65) }
    }

    /// The plugin runs in its folder, so a relative path would be looked for in the wrong place.
    private static func absolute(_ path: String) throws -> String {
        guard let found = realpath(path, nil) else { throw missing(path) }
        defer { free(found) }
        let folder = String(cString: found)
        guard access(folder + "/plugin.toml", F_OK) == 0 else { throw missing(path) }
        return folder
    }

    private static func missing(_ path: String) -> SettingsError {
        SettingsError(file: path, line: nil, key: nil, problem: "expected a folder with a plugin.toml; there is none")
    }
}

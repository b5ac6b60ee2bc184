import ArgumentParser
import Basics
import Glibc
import PluginHost

/// Serves a method of this program as a plugin, to whoever has started it so.
struct PluginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugin", abstract: "Serve org.nilometer.Forecaster on descriptor 3, as a plugin does.",
        shouldDisplay: false)

    @Argument(help: "The method.") var name: String

    func run() async throws {
        guard let method = Methods.all.first(where: { $0.manifest.name == name }) else {
            let known = Methods.all.map(\.manifest.name).joined(separator: ", ")
            throw Exit.say("no method \"\(name)\"; this program has \(known)", Int32(64))
        }
        guard let socket = Systemd.activatedSocket else {
            throw Exit.say("expected a connected socket as descriptor 3 and LISTEN_FDS=1, LISTEN_PID=\(getpid())", 64)
        }
        do {
            try await ForecasterService(method).serve(connected: socket, version: ProgramVersion.current)
        } catch {
            throw Exit.say("\(error)", 76)
        }
    }
}

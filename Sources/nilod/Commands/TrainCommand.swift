import ArgumentParser
import Forecasting
import Glibc
import PluginHost

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The child process that trains; the daemon starts it.
struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train on a run folder, as the daemon's child.", shouldDisplay: false)

    @Argument(help: "The run folder.") var folder: String
    @Option(help: "A folder of plugins; may be repeated.") var plugins: [String] = []

    func run() throws {
        let found = PluginCatalog(
            PluginReader.find(in: plugins), launcher: Executable.own, folder: folder + "/plugins"
        ) { name, line in Console.complain("\(name): \(line)") }
        defer { found.stop() }
        do {
            try TrainingRun.perform(
                in: RunFolder(URL(filePath: folder)), methods: Methods.all + found.methods
            ) { progress in
                let line = [UInt8](try JSONEncoder().encode(progress)) + [0x0A]
                _ = write(1, line, line.count)
            }
        } catch {
            throw Exit.say("\(error)", 70)
        }
    }
}

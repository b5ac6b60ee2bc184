import ArgumentParser
import Basics
import Glibc
import Simulation

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Runs simulated worlds.
@main struct Nilosim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nilosim", abstract: "Run simulated worlds against the model that knows the right answer.",
        discussion: "docs/guides/simulation.md says how to read what it prints.",
        subcommands: [RunCommand.self, ShrinkCommand.self, PlantedCommand.self, RealCommand.self],
        defaultSubcommand: RunCommand.self)

    static func main() {
        // Swift's dictionaries keep their elements in another order in each process unless this is set.
        if getenv("SWIFT_DETERMINISTIC_HASHING") == nil {
            setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
            execv("/proc/self/exe", CommandLine.unsafeArgv)
        }
        main(nil)
    }
}

/// Prints a line at once: a run may take hours, and its output go to a file.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

/// Where trainings exchange files; removed at the end.
func withScratchFolder<T>(_ body: (URL) throws -> T) rethrows -> T {
    let folder = URL.temporaryDirectory.appending(path: "nilosim-\(ProcessInfo.processInfo.processIdentifier)")
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
}

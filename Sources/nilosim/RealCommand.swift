import ArgumentParser
import Simulation

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Runs a world around a real daemon.
struct RealCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "real", abstract: "Run a world around a real nilod, with kill -9, against the same oracle.")

    @Argument(help: "The first seed.") var seed: UInt64
    @Option(help: "How many worlds to run.") var count = 1
    @Option(help: "How many operations a world has.") var operations = 600
    @Option(help: "The daemon.") var nilod = ".build/release/nilod"

    func run() throws {
        var failures = 0
        for seed in seed..<seed + UInt64(count) {
            try withScratchFolder { folder in
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                let world = RealWorld(Plan(seed: seed, length: operations), program: nilod, folder: folder)
                let failure = world.run()
                let summary = world.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
                say("\(seed) \(failure.map { "FAILED \($0)" } ?? "held"): \(summary.joined(separator: ", "))")
                if failure != nil { failures += 1 }
            }
        }
        if failures > 0 { throw ExitCode(1) }
    }
}

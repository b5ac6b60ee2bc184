import ArgumentParser
import Basics
import Simulation

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Proves that the worlds find defects.
struct PlantedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "planted", abstract: "Count the worlds until each planted bug is found; needs `make planted`.")

    @Argument(help: "The bugs; all by default.") var bugs: [String] = []
    @Option(help: "The first seed.") var seed: UInt64 = 1
    @Option(help: "How many worlds to try.") var limit = 1_000

    static func activate(_ name: String) throws {
        #if SIMULATION
            guard let bug = PlantedBug(rawValue: name) else {
                let known = PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("there is no planted bug \"\(name)\"; known are \(known)")
            }
            PlantedBug.active = bug
        #else
            throw ValidationError("this build has no planted bugs; use `make planted`")
        #endif
    }

    /// Whether the world keeps its promises without the bug: otherwise it is another one that was found.
    private func holds(_ plan: Plan, without name: String, _ folder: URL) -> Bool {
        #if SIMULATION
            PlantedBug.active = nil
            defer { PlantedBug.active = PlantedBug(rawValue: name) }
        #endif
        return World(plan, coverage: Coverage(), folder: folder).run() == nil
    }

    func run() throws {
        var missed = 0
        try withScratchFolder { folder in
            for name in bugs.isEmpty ? PlantedBug.allCases.map(\.rawValue) : bugs {
                try Self.activate(name)
                var found: (world: Int, failure: Failure)?
                for world in 0..<limit where found == nil {
                    let plan = Plan(seed: seed &+ UInt64(world))
                    guard let failure = World(plan, coverage: Coverage(), folder: folder).run() else { continue }
                    if holds(plan, without: name, folder) { found = (world + 1, failure) }
                }
                if let found {
                    say("| \(name) | \(found.world) | \(found.failure.promise) |")
                } else {
                    missed += 1
                    say("| \(name) | not in \(limit) | |")
                }
            }
        }
        if missed > 0 { throw ExitCode(1) }
    }
}

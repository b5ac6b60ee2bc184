import ArgumentParser
import Basics
import Simulation

/// Makes a failure small.
struct ShrinkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shrink", abstract: "Leave out operations of a world while it still fails, and print what is left."
    )

    @Argument(help: "The seed of a world that fails.") var seed: UInt64
    @Option(help: "How many operations the world has.") var operations = Plan.standardLength
    @Option(help: "Switch a planted bug on.") var planted: String?

    func run() throws {
        try planted.map(PlantedCommand.activate)
        try withScratchFolder { folder in
            guard let small = Shrinking(folder: folder).run(Plan(seed: seed, length: operations)) else {
                say("\(seed) does not fail")
                throw ExitCode(1)
            }
            say("\(small.plan.operations.count) operations are left of \(operations): \(small.failure.promise)")
            let world = World(small.plan, coverage: Coverage(), folder: folder) { say($0) }
            if let failure = world.run() { say("FAILED \(failure)") }
        }
    }
}

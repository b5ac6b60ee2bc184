import ArgumentParser
import Simulation

/// Runs worlds, one after the other.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run worlds with ascending seeds; fails if one breaks a promise.")

    @Argument(help: "The first seed.") var seed: UInt64
    @Option(help: "How many worlds to run.") var count = 1
    @Option(help: "Run worlds until this many minutes have passed.") var minutes: Double?
    @Option(help: "How many operations a world has.") var operations = Plan.standardLength
    @Flag(help: "Print everything that happens.") var trace = false
    @Flag(help: "List what happened how often; fail if something never did.") var coverage = false

    func run() throws {
        let start = ContinuousClock.now
        let coverage = Coverage()
        var (failures, worlds, simulated) = (0, 0, 0.0)
        try withScratchFolder { folder in
            for offset in 0..<UInt64.max {
                if let minutes {
                    if ContinuousClock.now - start >= .seconds(60 * minutes) { break }
                } else if offset >= UInt64(count) {
                    break
                }
                let plan = Plan(seed: seed &+ offset, length: operations)
                let world = World(plan, coverage: coverage, folder: folder, print: trace ? { say($0) } : nil)
                let failure = world.run()
                worlds += 1
                simulated += world.simulatedSeconds
                if let failure {
                    failures += 1
                    say("\(plan.seed) FAILED \(failure)")
                } else if minutes == nil, count <= 20 {
                    say("\(plan.seed) \(String(world.hash, radix: 16)): \(world.summary)")
                }
            }
            if self.coverage { try report(coverage) }
        }
        let seconds = Double((ContinuousClock.now - start).components.seconds) + 0.5
        say(
            "\(worlds) worlds, \(failures) failures, \(Int(seconds)) s, simulated time \(Int(simulated / seconds)) times the clock"
        )
        if failures > 0 { throw ExitCode(1) }
    }

    private func report(_ coverage: Coverage) throws {
        for (event, count) in coverage.counts.sorted(by: { $0.key < $1.key }) { say("\(count)\t\(event)") }
        let missing = coverage.missing
        for event in missing { say("0\t\(event)") }
        if !missing.isEmpty { throw ExitCode(1) }
    }
}

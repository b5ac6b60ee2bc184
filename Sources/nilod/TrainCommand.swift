import ArgumentParser
import Forecasting
import Glibc

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

    func run() throws {
        _ = nice(19)
        let parent = getppid()
        do {
            try TrainingRun.perform(in: RunFolder(URL(filePath: folder)), methods: Methods.all) { progress in
                // A child whose daemon is gone has nobody to train for.
                guard getppid() == parent else { throw ForecastingError.cancelled }
                let line = [UInt8](try JSONEncoder().encode(progress)) + [0x0A]
                _ = write(1, line, line.count)
            }
        } catch {
            throw Exit.say("\(error)", 70)
        }
    }
}

import ArgumentParser
import Glibc
import Recurrent
import SelfTest

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Compares this machine's kernels with answers that Keras gave.
struct SelfTestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selftest", abstract: "Compare this machine's kernels with answers that Keras gave.",
        discussion: "Ends with 1 if a case fails, with 65 if the file cannot be read.")

    @Option(help: "A JSON file of cases to run instead of the built-in ones.") var cases: String?

    func run() throws {
        guard let cases else { return try report(builtIn()) }
        let file: Data
        let answers: KnownAnswers
        do {
            file = try Data(contentsOf: URL(filePath: cases))
        } catch {
            throw Exit.say("\(cases): \(error.localizedDescription)", 65)
        }
        do {
            answers = try KnownAnswers(json: [UInt8](file))
        } catch {
            throw Exit.say("\(cases): not a readable file of cases: \(error)", 65)
        }
        Console.print("kernels: \(Kernels.best.name)")
        try report(answers.run())
    }

    /// The built-in cases on every set of kernels this CPU has.
    private func builtIn() throws -> [CaseResult] {
        let answers = try KnownAnswers.builtIn()
        var all: [CaseResult] = []
        for kernels in Kernels.available {
            let results = answers.run(on: kernels)
            let failed = results.count { !$0.isPassed }
            let note = kernels == .best ? ", which this machine uses" : ""
            Console.print("kernels \(kernels.name)\(note): \(results.count - failed) passed, \(failed) failed")
            all += results
        }
        return all
    }

    private func report(_ results: [CaseResult]) throws {
        let failed = results.filter { !$0.isPassed }
        for result in failed { Console.print(result.description) }
        Console.print("\(results.count - failed.count) passed, \(failed.count) failed")
        if !failed.isEmpty { throw ExitCode(1) }
    }
}

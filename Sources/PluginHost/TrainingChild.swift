/// `PluginHost`: what runs beside the daemon as child processes.
public import Forecasting
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif
#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Training in a child process of low priority: whatever it does, the daemon goes on.
///
/// The child is this program with `train FOLDER`; it tells its progress as JSON lines on its standard output.
public struct TrainingChild: Sendable {
    private let executable: String
    private let log: @Sendable (String) -> Void

    /// - Parameters:
    ///   - executable: the path of the program that trains.
    ///   - log: takes what the child says that is not progress.
    public init(executable: String, log: @escaping @Sendable (String) -> Void) {
        self.executable = executable
        self.log = log
    }

    /// Runs until the child has ended. Cancelling the task ends the child.
    ///
    /// - Throws: ``TrainingChildError`` with the child's last words.
    public func run(_ folder: URL, progress: @escaping @Sendable (TrainingProgress) -> Void) async throws {
        let configuration = Subprocess.Configuration(
            executable: .path(FilePath(executable)), arguments: ["train", folder.path])
        let result = try await Subprocess.run(
            configuration, input: .none, output: .sequence, error: .combinedWithOutput
        ) { execution -> String in
            var lastWords = "it said nothing"
            for try await line in execution.standardOutput.strings() {
                if let step = try? JSONDecoder().decode(TrainingProgress.self, from: Data(line.utf8)) {
                    progress(step)
                } else if !line.allSatisfy(\.isWhitespace) {
                    lastWords = line
                    log(line)
                }
            }
            return lastWords
        }
        guard result.terminationStatus.isSuccess else {
            throw TrainingChildError(status: "\(result.terminationStatus)", lastWords: result.closureResult)
        }
    }
}

/// A training child that did not end well.
public struct TrainingChildError: Error, Sendable, CustomStringConvertible {
    public var status: String
    public var lastWords: String
    public var description: String { "the training child ended with \(status): \(lastWords)" }
}

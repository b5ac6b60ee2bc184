import Basics
public import Forecasting
import Glibc

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Trains in a child process with low priority and limited memory, whose failure does not affect the daemon.
///
/// The child is `nilod train FOLDER`; it reports its progress as JSON lines on its standard output.
public struct TrainingChild: Sendable {
    private let launcher: String
    private let arguments: [String]
    private let log: @Sendable (String) -> Void

    /// - Parameters:
    ///   - launcher: the path of `nilod`.
    ///   - arguments: for `nilod train`, after the folder.
    ///   - log: called with each line that the child writes to standard error.
    public init(launcher: String, arguments: [String] = [], log: @escaping @Sendable (String) -> Void) {
        (self.launcher, self.arguments, self.log) = (launcher, arguments, log)
    }

    /// Runs until the child has ended. Cancelling the task ends the child.
    ///
    /// - Throws: ``PluginHostError/trainingFailed(status:lastWords:)``.
    public func run(_ folder: URL, progress: @escaping @Sendable (TrainingProgress) -> Void) async throws {
        let command = ChildCommand(
            launcher: launcher, command: [launcher, "train", folder.path] + arguments, limits: Self.limits)
        let lastWords = Locked("it printed nothing")
        let output = try Pipe()
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(null) }
        let (status, ended) = AsyncStream.makeStream(of: ExitStatus.self)
        let child: LaunchedChild
        do {
            defer { close(output.writeEnd) }
            let log = log
            child = try LaunchedChild(command, input: null, output: output.writeEnd) { line in
                lastWords.withLock { $0 = line }
                log(line)
            } ended: {
                ended.yield($0)
                ended.finish()
            }
        }
        ChildLog.follow(output.readEnd) { line in
            if let step = try? JSONDecoder().decode(TrainingProgress.self, from: Data(line.utf8)) { progress(step) }
        } ended: {
        }
        let code = await withTaskCancellationHandler {
            await status.first { _ in true }
        } onCancel: {
            child.end()
        }
        // A cancelled stream ends before the child does.
        child.waitUntilOver(within: .seconds(10))
        try Task.checkCancellation()
        guard let code, code.isSuccess else {
            throw PluginHostError.trainingFailed(
                status: code.map { "\($0)" } ?? "nothing", lastWords: lastWords.withLock { $0 })
        }
    }

    /// Half of this machine's memory, so that training never slows down the whole machine.
    private static var limits: ChildLimits {
        let memory = Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE)))
        return ChildLimits(memory: memory / 2, files: 1_024, niceness: 19)
    }
}

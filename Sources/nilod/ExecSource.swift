import Feeding
import LineProtocol
import Listening
import PluginHost

/// A child whose standard output is line protocol, started again whenever it ends.
struct ExecSource: Sendable {
    let command: [String]
    let precision: Precision
    let counters: FeedCounters
    let commit: LineIntake.Commit
    /// Says no more than an operator may want to read; how many lines were refused is counted.
    let log: LogThrottle

    /// A longer line without an end is dropped.
    private static let maximumLineLength = 65_536
    /// A child that ran for this long has not failed.
    private static let stableRun = Duration.seconds(60)

    /// Until the task is cancelled.
    func run() async throws {
        let child = ChildCommand(launcher: Executable.own, command: command, limits: ChildLimits())
        var backoff = Backoff()
        while !Task.isCancelled {
            let started = ContinuousClock.now
            do {
                try await ingest(ChildOutput(child) { [log] in log($0) })
            } catch {
                log("\(error)")
            }
            if ContinuousClock.now - started > Self.stableRun { backoff.reset() }
            try await Task.sleep(for: .seconds(backoff.next()))
        }
    }

    /// Reads one run of the child, no faster than its readings are committed.
    private func ingest(_ output: ChildOutput) async throws {
        var intake = LineIntake(precision: precision, counters: counters, commit: commit)
        var pending: [UInt8] = []
        while let bytes = await output.next() {
            pending += bytes
            pending.removeFirst(try await intake.ingest(pending, isWhole: false, log))
            if pending.count > Self.maximumLineLength {
                log("dropped a line of more than \(Self.maximumLineLength) bytes")
                pending = []
            }
        }
        _ = try await intake.ingest(pending, isWhole: true, log)
    }
}

extension LineIntake {
    /// Commits, and says what was wrong with the first bad line.
    ///
    /// - Returns: the bytes that were read.
    fileprivate mutating func ingest(
        _ bytes: [UInt8], isWhole: Bool, _ log: LogThrottle
    ) async throws -> Int {
        let outcome = try await ingest(bytes, isWhole: isWhole)
        if let problem = outcome.problems.first { log("refused \(outcome.refused) lines or readings: \(problem)") }
        return outcome.consumed
    }
}

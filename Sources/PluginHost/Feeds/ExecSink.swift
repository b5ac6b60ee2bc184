import Basics
import Dispatch
import Glibc

/// A sink that writes lines to the standard input of a child, which is restarted whenever it ends.
public final class ExecSink: LineSink {
    private let command: ChildCommand
    private let line: @Sendable (String) -> Void
    private let queue = DispatchQueue(label: "exec-sink")
    private let state = Locked(State())

    fileprivate struct State {
        var child: LaunchedChild?
        /// The pipe to the child, which never blocks; -1 without one.
        var descriptor: Int32 = -1
        /// The part of a line that did not fit into the pipe.
        var rest: ArraySlice<UInt8> = []
        /// The caller that waits for space in the pipe.
        var caller: CheckedContinuation<Void, Never>?
        var counts = SinkCounts()
        var backoff = Backoff()
        var started = ContinuousClock.now
        var isStopped = false
    }

    /// The default limit for the capacity of an unprivileged user's pipe (pipe(7)).
    private static let pipeBytes: Int32 = 1 << 20
    private static let setPipeSize: Int32 = 1031
    private static let stableRun = Duration.seconds(60)

    /// Starts the child at once.
    ///
    /// - Parameter line: called with each line of its standard output and error.
    public init(_ command: ChildCommand, line: @escaping @Sendable (String) -> Void) {
        (self.command, self.line) = (command, line)
        queue.async { [self] in start() }
    }

    public var counts: SinkCounts { state.withLock { $0.counts } }

    public func drop(_ count: Int) { state.withLock { $0.counts.dropped += count } }

    public func send(_ line: [UInt8]) async {
        await withCheckedContinuation { continuation in
            let hasSpace = state.withLock { state in
                guard state.descriptor >= 0 else {
                    state.counts.dropped += 1
                    return true
                }
                state.rest = line[...]
                state.counts.written += 1
                let hasSpace = state.flush()
                if !hasSpace { state.caller = continuation }
                return hasSpace
            }
            if hasSpace { continuation.resume() } else { flushLater() }
        }
    }

    /// Polls whether the child has read, until the line is in its pipe or it has ended. The interval grows, so that a
    /// child that hangs costs next to nothing.
    private func flushLater(after seconds: Double = 0.002) {
        queue.asyncAfter(deadline: .now() + seconds) { [self] in
            let (hasSpace, caller) = state.withLock { state in
                let hasSpace = state.flush()
                defer { if hasSpace { state.caller = nil } }
                return (hasSpace, hasSpace ? state.caller : nil)
            }
            caller?.resume()
            if !hasSpace { flushLater(after: min(0.1, 2 * seconds)) }
        }
    }

    /// Gives the child two seconds for the rest of a line, and two more to read what is in its pipe; then kills it.
    public func stop() {
        // Polling is fine here: the daemon is stopping, nothing signals that the child has read, and this thread has no
        // other work.
        let end = ContinuousClock.now + .seconds(2)
        while !state.withLock({ $0.flush() }), ContinuousClock.now < end { usleep(2_000) }
        let (child, caller) = state.withLock { state in
            state.isStopped = true
            return (state.child, state.hangUp())
        }
        caller?.resume()
        guard let child, !child.waitUntilOver(within: .seconds(2)) else { return }
        child.end()
        child.waitUntilOver(within: .seconds(5))
    }

    private func start() {
        guard !state.withLock({ $0.isStopped }) else { return }
        do {
            let input = try Pipe()
            defer { close(input.readEnd) }
            _ = fcntl(input.writeEnd, F_SETFL, O_NONBLOCK)
            _ = fcntl(input.writeEnd, Self.setPipeSize, Self.pipeBytes)
            state.withLock { ($0.descriptor, $0.started) = (input.writeEnd, .now) }
            let child = try LaunchedChild(command, input: input.readEnd, line: line) { [weak self] status in
                self?.ended("its process ended with \(status)")
            }
            state.withLock { $0.child = child }
        } catch {
            ended("\(error)")
        }
    }

    private func ended(_ reason: String) {
        let (pause, caller) = state.withLock { state in
            let caller = state.hangUp()
            state.child = nil
            guard !state.isStopped else { return (nil as Double?, caller) }
            state.counts.restarts += 1
            state.counts.lastError = reason
            // One that ran for a while is no worse than at the start.
            if ContinuousClock.now - state.started > Self.stableRun { state.backoff.reset() }
            return (state.backoff.next(), caller)
        }
        caller?.resume()
        guard let pause else { return }
        line("\(reason); its next start is in \(Int(pause * 1_000)) ms")
        queue.asyncAfter(deadline: .now() + pause) { [weak self] in self?.start() }
    }
}

extension ExecSink.State {
    /// Closes the pipe.
    ///
    /// - Returns: the caller that waits for space, to be resumed.
    fileprivate mutating func hangUp() -> CheckedContinuation<Void, Never>? {
        if descriptor >= 0 { close(descriptor) }
        if !rest.isEmpty {
            counts.written -= 1
            counts.dropped += 1
        }
        defer { (descriptor, rest, caller) = (-1, [], nil) }
        return caller
    }

    /// Writes what is left of the line; returns whether there is space for another.
    fileprivate mutating func flush() -> Bool {
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}

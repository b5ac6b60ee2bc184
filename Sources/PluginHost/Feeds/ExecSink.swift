import Dispatch
import Glibc
import Synchronization

/// A child that reads lines on its standard input. It is started again whenever it ends.
public final class ExecSink: LineSink {
    private let command: ChildCommand
    private let line: @Sendable (String) -> Void
    private let queue = DispatchQueue(label: "exec-sink")
    private let state = Mutex(State())

    fileprivate struct State {
        var child: LaunchedChild?
        /// The pipe to the child, which never blocks; -1 without one.
        var descriptor: Int32 = -1
        /// The rest of the line that filled the pipe.
        var rest: ArraySlice<UInt8> = []
        /// Has another line, for which there is no room.
        var caller: CheckedContinuation<Void, Never>?
        var counts = SinkCounts()
        var backoff = Backoff()
        var isStopped = false
    }

    /// The most that an ordinary user's pipe may hold, pipe(7).
    private static let pipeBytes: Int32 = 1 << 20
    private static let setPipeSize: Int32 = 1031

    /// Starts at once.
    ///
    /// - Parameter line: takes what it says on standard output and error.
    public init(_ command: ChildCommand, line: @escaping @Sendable (String) -> Void) {
        (self.command, self.line) = (command, line)
        queue.async { [self] in start() }
    }

    public var counts: SinkCounts { state.withLock { $0.counts } }

    public func drop(_ count: Int) { state.withLock { $0.counts.dropped += count } }

    public func take(_ line: [UInt8]) async {
        await withCheckedContinuation { continuation in
            let hasRoom = state.withLock { state in
                guard state.descriptor >= 0 else {
                    state.counts.dropped += 1
                    return true
                }
                state.rest = line[...]
                state.counts.written += 1
                let hasRoom = state.flush()
                if !hasRoom { state.caller = continuation }
                return hasRoom
            }
            if hasRoom { continuation.resume() } else { flushLater() }
        }
    }

    /// Looks again and again whether the child has read on, until the line is in its pipe or it has ended: ever less often,
    /// so that one that hangs costs nothing.
    private func flushLater(after seconds: Double = 0.002) {
        queue.asyncAfter(deadline: .now() + seconds) { [self] in
            let (hasRoom, caller) = state.withLock { state in
                let hasRoom = state.flush()
                defer { if hasRoom { state.caller = nil } }
                return (hasRoom, hasRoom ? state.caller : nil)
            }
            caller?.resume()
            if !hasRoom { flushLater(after: min(0.1, 2 * seconds)) }
        }
    }

    /// Lets the child read what is in its pipe, for two seconds, and the rest of a line before.
    public func stop() {
        // The daemon is at its end: nothing tells when the child has read, and nobody else needs this thread.
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
            state.withLock { $0.descriptor = input.writeEnd }
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
            return (state.backoff.next(), caller)
        }
        caller?.resume()
        guard let pause else { return }
        line("\(reason); its next start is in \(Int(pause * 1_000)) ms")
        queue.asyncAfter(deadline: .now() + pause) { [weak self] in self?.start() }
    }
}

extension ExecSink.State {
    /// - Returns: who waits for room, which is not needed any more.
    fileprivate mutating func hangUp() -> CheckedContinuation<Void, Never>? {
        if descriptor >= 0 { close(descriptor) }
        if !rest.isEmpty {
            counts.written -= 1
            counts.dropped += 1
        }
        defer { (descriptor, rest, caller) = (-1, [], nil) }
        return caller
    }

    /// Whether there is room for another line.
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

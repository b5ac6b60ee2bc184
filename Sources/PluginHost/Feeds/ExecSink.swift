import Dispatch
import Glibc
import Synchronization

/// A child that reads lines on its standard input. It is started again whenever it ends.
public final class ExecSink: LineSink {
    private let order: ChildOrder
    private let line: @Sendable (String) -> Void
    private let queue = DispatchQueue(label: "exec-sink")
    private let state = Mutex(State())

    fileprivate struct State {
        var child: LaunchedChild?
        /// The pipe to the child, which never blocks; -1 without one.
        var descriptor: Int32 = -1
        /// The rest of the line that filled the pipe.
        var rest: ArraySlice<UInt8> = []
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
    public init(_ order: ChildOrder, line: @escaping @Sendable (String) -> Void) {
        (self.order, self.line) = (order, line)
        queue.async { [self] in start() }
    }

    public var counts: SinkCounts { state.withLock { $0.counts } }

    public func drop() { state.withLock { $0.counts.dropped += 1 } }

    public func take(_ line: () throws -> [UInt8]) rethrows {
        try state.withLock { state in
            guard state.descriptor >= 0, state.flush() else { return state.counts.dropped += 1 }
            state.rest = try line()[...]
            state.counts.written += 1
            _ = state.flush()
        }
    }

    /// Lets the child read what is in its pipe, for two seconds.
    public func stop() {
        let child = state.withLock { state -> LaunchedChild? in
            state.isStopped = true
            state.hangUp()
            return state.child
        }
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
            let child = try LaunchedChild(order, input: input.readEnd, line: line) { [weak self] status in
                self?.ended("its process ended with \(status)")
            }
            state.withLock { $0.child = child }
        } catch {
            ended("\(error)")
        }
    }

    private func ended(_ reason: String) {
        let pause = state.withLock { state -> Double? in
            state.hangUp()
            state.child = nil
            guard !state.isStopped else { return nil }
            state.counts.restarts += 1
            state.counts.lastError = reason
            return state.backoff.next()
        }
        guard let pause else { return }
        line("\(reason); its next start is in \(Int(pause * 1_000)) ms")
        queue.asyncAfter(deadline: .now() + pause) { [weak self] in self?.start() }
    }
}

extension ExecSink.State {
    fileprivate mutating func hangUp() {
        if descriptor >= 0 { close(descriptor) }
        (descriptor, rest) = (-1, [])
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

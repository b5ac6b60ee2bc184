import Dispatch
import Glibc
import Synchronization

/// A file that lines are appended to; a new one is made when it was moved away.
public final class FileSink: LineSink {
    private let path: String
    private let line: @Sendable (String) -> Void
    /// A slow disk makes this wait, and nobody else.
    private let queue = DispatchQueue(label: "file-sink")
    private let state = Mutex(State())

    private struct State {
        var counts = SinkCounts()
        /// Bytes that wait to be written.
        var waiting = 0
    }

    private static let mostWaiting = 1 << 20

    /// - Parameter line: takes what goes wrong.
    public init(path: String, line: @escaping @Sendable (String) -> Void) { (self.path, self.line) = (path, line) }

    public var counts: SinkCounts { state.withLock { $0.counts } }

    public func drop() { state.withLock { $0.counts.dropped += 1 } }

    public func take(_ line: () throws -> [UInt8]) rethrows {
        let isFull = state.withLock { state in
            if state.waiting >= Self.mostWaiting { state.counts.dropped += 1 }
            return state.waiting >= Self.mostWaiting
        }
        guard !isFull else { return }
        let bytes = try line()
        state.withLock { $0.waiting += bytes.count }
        queue.async { [self] in append(bytes) }
    }

    public func stop() { queue.sync {} }

    private func append(_ bytes: [UInt8]) {
        let reason = write(bytes)
        let isNew = state.withLock { state in
            state.waiting -= bytes.count
            if reason == nil { state.counts.written += 1 } else { state.counts.dropped += 1 }
            defer { state.counts.lastError = reason }
            return reason != nil && state.counts.lastError != reason
        }
        if isNew, let reason { line(reason) }
    }

    /// Opened for each line, so that a file that was moved away is not written to any more.
    private func write(_ bytes: [UInt8]) -> String? {
        let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard file >= 0 else { return "cannot open \(path): \(String(cString: strerror(errno)))" }
        defer { close(file) }
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else {
            return "cannot write to \(path): \(String(cString: strerror(errno)))"
        }
        return nil
    }
}

import Basics
import Dispatch
import Glibc

/// A sink that appends lines to a file, which is created again if it was moved away.
public final class FileSink: LineSink {
    private let path: String
    private let line: @Sendable (String) -> Void
    /// A slow disk blocks this queue, and suspends the caller once the buffer is full.
    private let queue = DispatchQueue(label: "file-sink")
    private let state = Locked(State())

    private struct State {
        var counts = SinkCounts()
        /// Complete lines that are written together next, and their number.
        var waiting: [UInt8] = []
        var lines = 0
        /// The caller that waits for space in the buffer.
        var caller: CheckedContinuation<Void, Never>?
    }

    private static let capacity = 1 << 20

    /// - Parameter line: called with each new failure.
    public init(path: String, line: @escaping @Sendable (String) -> Void) { (self.path, self.line) = (path, line) }

    public var counts: SinkCounts { state.withLock { $0.counts } }

    public func drop(_ count: Int) { state.withLock { $0.counts.dropped += count } }

    public func send(_ line: [UInt8]) async {
        await withCheckedContinuation { continuation in
            let (isFirst, hasSpace) = state.withLock { state in
                state.waiting += line
                state.lines += 1
                let hasSpace = state.waiting.count < Self.capacity
                if !hasSpace { state.caller = continuation }
                return (state.lines == 1, hasSpace)
            }
            if isFirst { queue.async { [self] in append() } }
            if hasSpace { continuation.resume() }
        }
    }

    public func stop() { queue.sync {} }

    private func append() {
        let (bytes, lines, caller) = state.withLock { state in
            defer { (state.waiting, state.lines, state.caller) = ([], 0, nil) }
            return (state.waiting, state.lines, state.caller)
        }
        caller?.resume()
        let (written, reason) = write(bytes)
        let isNew = state.withLock { state in
            state.counts.written += written
            state.counts.dropped += lines - written
            defer { state.counts.lastError = reason }
            return reason != nil && state.counts.lastError != reason
        }
        if isNew, let reason { line(reason) }
    }

    /// Appends lines. Opens the file each time, so that one that was moved away is no longer written to.
    ///
    /// - Returns: how many lines were written, and why not all were.
    private func write(_ bytes: [UInt8]) -> (lines: Int, reason: String?) {
        let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard file >= 0 else { return (0, "cannot open \(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var (rest, reason): (ArraySlice<UInt8>, String?) = (bytes[...], nil)
        while !rest.isEmpty, reason == nil {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { reason = "cannot write to \(path): \(String(cString: strerror(errno)))" }
            rest = rest.dropFirst(max(0, count))
        }
        let complete = bytes[..<rest.startIndex].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        if rest.startIndex > complete { Self.truncate(rest.startIndex - complete, of: file) }
        return (bytes[..<complete].count { $0 == UInt8(ascii: "\n") }, reason)
    }

    /// Removes an incomplete line, which the next line would otherwise continue.
    private static func truncate(_ count: Int, of file: Int32) {
        var status = stat()
        if fstat(file, &status) == 0 { ftruncate(file, max(0, status.st_size - off_t(count))) }
    }
}

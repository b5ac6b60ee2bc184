import Dispatch
import Glibc
import Synchronization

/// A file that lines are appended to; a new one is made when it was moved away.
public final class FileSink: LineSink {
    private let path: String
    private let line: @Sendable (String) -> Void
    /// A slow disk makes this wait, and whoever has another line.
    private let queue = DispatchQueue(label: "file-sink")
    private let state = Mutex(State())

    private struct State {
        var counts = SinkCounts()
        /// Whole lines that are written together next, and how many.
        var waiting: [UInt8] = []
        var lines = 0
        /// Has a line for which there is no room.
        var caller: CheckedContinuation<Void, Never>?
    }

    private static let mostWaiting = 1 << 20

    /// - Parameter line: takes what goes wrong.
    public init(path: String, line: @escaping @Sendable (String) -> Void) { (self.path, self.line) = (path, line) }

    public var counts: SinkCounts { state.withLock { $0.counts } }

    public func drop(_ count: Int) { state.withLock { $0.counts.dropped += count } }

    public func take(_ line: [UInt8]) async {
        await withCheckedContinuation { continuation in
            let (isFirst, hasRoom) = state.withLock { state in
                state.waiting += line
                state.lines += 1
                let hasRoom = state.waiting.count < Self.mostWaiting
                if !hasRoom { state.caller = continuation }
                return (state.lines == 1, hasRoom)
            }
            if isFirst { queue.async { [self] in append() } }
            if hasRoom { continuation.resume() }
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

    /// Opened each time, so that a file that was moved away is not written to any more.
    ///
    /// - Returns: how many lines are in the file, and why not all are.
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
        let whole = bytes[..<rest.startIndex].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        if rest.startIndex > whole { Self.takeBack(rest.startIndex - whole, of: file) }
        return (bytes[..<whole].count { $0 == UInt8(ascii: "\n") }, reason)
    }

    /// Half a line, which the next one would go on.
    private static func takeBack(_ count: Int, of file: Int32) {
        var status = stat()
        if fstat(file, &status) == 0 { ftruncate(file, max(0, status.st_size - off_t(count))) }
    }
}

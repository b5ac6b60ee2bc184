import Dispatch
import Glibc

/// The lines that a child says, so many a second and no more: the rest waits in the pipe, and then the child waits.
///
/// `@unchecked Sendable`: everything that changes is touched on `queue` alone.
final class ChildLog: @unchecked Sendable {
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "child-log")
    private let source: any DispatchSourceRead
    private let line: @Sendable (String) -> Void
    private let ended: @Sendable () -> Void
    private var rest: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 16_384)
    private var (bytesLeft, linesLeft, skipped) = (0, 0, 0)

    private static let bytesPerSecond = 65_536
    private static let linesPerSecond = 50
    private static let longestLine = 1_000

    /// - Parameter ended: called once after the last line, when nobody can write any more.
    init(descriptor: Int32, line: @escaping @Sendable (String) -> Void, ended: @escaping @Sendable () -> Void) {
        (self.descriptor, self.line, self.ended) = (descriptor, line, ended)
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
    }

    /// The source keeps its handlers, and they keep this, until the pipe ends.
    func start() {
        (bytesLeft, linesLeft) = (Self.bytesPerSecond, Self.linesPerSecond)
        source.setEventHandler { self.read() }
        source.setCancelHandler {
            close(self.descriptor)
            self.ended()
        }
        source.activate()
    }

    private func read() {
        let count = Glibc.read(descriptor, &buffer, min(buffer.count, bytesLeft))
        if count < 0, errno == EINTR || errno == EAGAIN { return }
        guard count > 0 else {
            if !rest.isEmpty { say(rest[...]) }
            tellSkipped()
            return source.cancel()
        }
        rest += buffer[..<count]
        while let end = rest.firstIndex(of: 0x0A) {
            say(rest[..<end])
            rest.removeSubrange(...end)
        }
        if rest.count > Self.longestLine {
            say(rest[...])
            rest = []
        }
        bytesLeft -= count
        if bytesLeft == 0 { pause() }
    }

    private func say(_ text: ArraySlice<UInt8>) {
        guard linesLeft > 0 else { return skipped += 1 }
        linesLeft -= 1
        if linesLeft == 0 { queue.asyncAfter(deadline: .now() + 1) { self.refill() } }
        let visible = text.prefix(Self.longestLine).map { $0 < 0x20 && $0 != 9 ? 0x20 : $0 }
        if visible.contains(where: { $0 != 0x20 }) { line(String(decoding: visible, as: UTF8.self)) }
    }

    private func pause() {
        source.suspend()
        queue.asyncAfter(deadline: .now() + 1) {
            self.bytesLeft = Self.bytesPerSecond
            self.source.resume()
        }
    }

    private func refill() {
        linesLeft = Self.linesPerSecond
        tellSkipped()
    }

    private func tellSkipped() {
        if skipped > 0 { line("(\(skipped) more lines)") }
        skipped = 0
    }
}

import Dispatch
import Glibc

/// The lines that a child says, so many a second and no more: the rest waits in the pipe, and then the child waits.
///
/// Reads on a thread of its own. Not with a Dispatch source: on Linux its event loop crashes now and then when pipes hang
/// up and their numbers are used again, as they are when children come and go.
final class ChildLog {
    private let descriptor: Int32
    private let line: @Sendable (String) -> Void
    private var rest: [UInt8] = []
    private var second = ContinuousClock.now
    private var (bytesLeft, linesLeft, skipped) = (0, 0, 0)

    private static let bytesPerSecond = 65_536
    private static let linesPerSecond = 50
    private static let longestLine = 1_000

    private init(_ descriptor: Int32, _ line: @escaping @Sendable (String) -> Void) {
        (self.descriptor, self.line) = (descriptor, line)
    }

    /// Reads from a pipe, which it takes over, until nobody can write any more.
    ///
    /// - Parameter ended: called once after the last line.
    static func follow(
        _ descriptor: Int32, line: @escaping @Sendable (String) -> Void, ended: @escaping @Sendable () -> Void
    ) {
        DispatchQueue(label: "child-log").async {
            ChildLog(descriptor, line).run()
            close(descriptor)
            ended()
        }
    }

    private func run() {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            refill()
            take(buffer[..<count])
            bytesLeft -= count
            // What it says too much of waits in the pipe, which slows the child that says it; this queue has no other work.
            if bytesLeft <= 0 { usleep(Self.microseconds(until: second + .seconds(1))) }
        }
        if !rest.isEmpty { say(rest[...]) }
        tellSkipped()
    }

    private static func microseconds(until end: ContinuousClock.Instant) -> UInt32 {
        UInt32(max(0, min(1_000_000, (end - .now) / .microseconds(1))))
    }

    private func refill() {
        guard bytesLeft <= 0 || .now - second >= .seconds(1) else { return }
        second = .now
        (bytesLeft, linesLeft) = (Self.bytesPerSecond, Self.linesPerSecond)
        tellSkipped()
    }

    private func take(_ bytes: ArraySlice<UInt8>) {
        rest += bytes
        var start = 0
        while let end = rest[start...].firstIndex(of: 0x0A) {
            say(rest[start..<end])
            start = end + 1
        }
        rest.removeFirst(start)
        guard rest.count > Self.longestLine else { return }
        say(rest[...])
        rest = []
    }

    private func say(_ text: ArraySlice<UInt8>) {
        guard linesLeft > 0 else { return skipped += 1 }
        linesLeft -= 1
        let visible = text.prefix(Self.longestLine).map { $0 < 0x20 && $0 != 9 ? 0x20 : $0 }
        if visible.contains(where: { $0 != 0x20 }) { line(String(decoding: visible, as: UTF8.self)) }
    }

    private func tellSkipped() {
        if skipped > 0 { line("(\(skipped) more lines)") }
        skipped = 0
    }
}

import Dispatch
import Glibc

/// Reads the lines that a child writes, at a limited rate: the rest waits in the pipe, and when that is full the child
/// waits.
///
/// Reads on a thread of its own. Not with a Dispatch source: on Linux its event loop sometimes crashes when pipes hang
/// up and their descriptors are reused, as happens when children come and go.
final class ChildLog {
    private let descriptor: Int32
    private let line: @Sendable (String) -> Void
    private var pending: [UInt8] = []
    private var periodStart = ContinuousClock.now
    private var (bytesLeft, linesLeft, skipped) = (0, 0, 0)

    private static let bytesPerSecond = 65_536
    private static let linesPerSecond = 50
    private static let maximumLength = 1_000

    private init(_ descriptor: Int32, _ line: @escaping @Sendable (String) -> Void) {
        (self.descriptor, self.line) = (descriptor, line)
    }

    /// Reads from a pipe, which it takes ownership of, until it has no writers.
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
            append(buffer[..<count])
            bytesLeft -= count
            // The excess waits in the pipe, which slows down the child; this queue has no other work.
            if bytesLeft <= 0 { usleep(Self.microseconds(until: periodStart + .seconds(1))) }
        }
        if !pending.isEmpty { emit(pending[...]) }
        reportSkipped()
    }

    private static func microseconds(until end: ContinuousClock.Instant) -> UInt32 {
        UInt32(max(0, min(1_000_000, (end - .now) / .microseconds(1))))
    }

    private func refill() {
        guard bytesLeft <= 0 || .now - periodStart >= .seconds(1) else { return }
        periodStart = .now
        (bytesLeft, linesLeft) = (Self.bytesPerSecond, Self.linesPerSecond)
        reportSkipped()
    }

    private func append(_ bytes: ArraySlice<UInt8>) {
        pending += bytes
        var start = 0
        while let end = pending[start...].firstIndex(of: 0x0A) {
            emit(pending[start..<end])
            start = end + 1
        }
        pending.removeFirst(start)
        guard pending.count > Self.maximumLength else { return }
        emit(pending[...])
        pending = []
    }

    private func emit(_ text: ArraySlice<UInt8>) {
        guard linesLeft > 0 else { return skipped += 1 }
        linesLeft -= 1
        let visible = text.prefix(Self.maximumLength).map { $0 < 0x20 && $0 != 9 ? 0x20 : $0 }
        if visible.contains(where: { $0 != 0x20 }) { line(String(decoding: visible, as: UTF8.self)) }
    }

    private func reportSkipped() {
        if skipped > 0 { line("(\(skipped) more lines)") }
        skipped = 0
    }
}

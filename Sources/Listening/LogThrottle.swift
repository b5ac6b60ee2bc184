import Basics

/// Limits the lines per period in a log and counts the others: a peer that makes the daemon log could otherwise fill
/// the disk.
///
/// Safe to use from any thread.
public final class LogThrottle: Sendable {
    fileprivate struct Content {
        var start: Int64
        var remaining: Int
        var skipped = 0
    }

    private let content: Locked<Content>
    private let lines: Int
    private let period: Int64
    private let now: @Sendable () -> Int64
    private let write: @Sendable (String) -> Void
    private static let maximumLength = 1_000

    /// - Parameters:
    ///   - lines: the maximum number of lines per period.
    ///   - now: the nanoseconds of a monotonic clock.
    public init(
        lines: Int = 20, period: Duration = .seconds(10),
        now: @escaping @Sendable () -> Int64 = ConnectionLimiter.monotonic,
        write: @escaping @Sendable (String) -> Void
    ) {
        (self.lines, self.now, self.write) = (lines, now, write)
        self.period = Int64(period / .nanoseconds(1))
        content = Locked(Content(start: now(), remaining: lines))
    }

    /// Writes the line or counts it; the count is logged before the next line that is written.
    public func callAsFunction(_ line: String) {
        let now = now()
        let (isWritten, skipped) = content.withLock { content -> (Bool, Int) in
            var skipped = 0
            if now - content.start >= period {
                skipped = content.skipped
                content = Content(start: now, remaining: lines)
            }
            content.remaining -= 1
            if content.remaining < 0 { content.skipped += 1 }
            return (content.remaining >= 0, skipped)
        }
        if skipped > 0 { write("(\(skipped) more lines)") }
        if isWritten { write(Self.shortened(line)) }
    }

    private static func shortened(_ line: String) -> String {
        guard line.utf8.count > maximumLength else { return line }
        return String(decoding: line.utf8.prefix(maximumLength), as: UTF8.self) + "…"
    }
}

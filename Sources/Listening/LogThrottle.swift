import Synchronization

/// Lets so many lines a period into the log and counts the others: whoever makes the daemon say something could fill the
/// disk with it.
///
/// For all threads.
public final class LogThrottle: Sendable {
    fileprivate struct Content {
        var start: Int64
        var left: Int
        var skipped = 0
    }

    private let content: Mutex<Content>
    private let lines: Int
    private let period: Int64
    private let now: @Sendable () -> Int64
    private let write: @Sendable (String) -> Void
    private static let longestLine = 1_000

    /// - Parameters:
    ///   - lines: of each period.
    ///   - now: nanoseconds of a clock that never goes back.
    public init(
        lines: Int = 20, period: Duration = .seconds(10),
        now: @escaping @Sendable () -> Int64 = ConnectionLimiter.monotonic,
        write: @escaping @Sendable (String) -> Void
    ) {
        (self.lines, self.now, self.write) = (lines, now, write)
        self.period = Int64(period / .nanoseconds(1))
        content = Mutex(Content(start: now(), left: lines))
    }

    /// Writes the line or counts it; what was counted is told before the next line that is written.
    public func callAsFunction(_ line: String) {
        let now = now()
        let (isWritten, skipped) = content.withLock { content -> (Bool, Int) in
            var skipped = 0
            if now - content.start >= period {
                skipped = content.skipped
                content = Content(start: now, left: lines)
            }
            content.left -= 1
            if content.left < 0 { content.skipped += 1 }
            return (content.left >= 0, skipped)
        }
        if skipped > 0 { write("(\(skipped) more lines)") }
        if isWritten { write(Self.shortened(line)) }
    }

    private static func shortened(_ line: String) -> String {
        guard line.utf8.count > longestLine else { return line }
        return String(decoding: line.utf8.prefix(longestLine), as: UTF8.self) + "…"
    }
}

import Dispatch
import Glibc

/// SIGTERM, SIGINT and SIGHUP as a stream; SIGPIPE is nobody's business.
final class Signals: Sendable {
    let stream: AsyncStream<Int32>
    /// Kept alive, never touched again: Dispatch's sources are thread-safe but not marked so.
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

    init() {
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self)
        signal(SIGPIPE, SIG_IGN)
        // Of its own: the threads of the global queues may all be waiting for plugins.
        let queue = DispatchQueue(label: "signals")
        sources = [SIGTERM, SIGINT, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { continuation.yield(number) }
            source.activate()
            return source
        }
        self.stream = stream
    }
}

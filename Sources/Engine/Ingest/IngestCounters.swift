import Basics

/// Ingest counters since the start.
public struct IngestCounts: Sendable {
    public var accepted = 0
    public var late = 0
    public var refused: [RefusalReason: Int] = [:]
    public var commits = 0
    /// Requests that wait to share a commit.
    public var deferred = 0
    /// Series removed because they fell silent.
    public var expiredSeries = 0
    public var storageFull = false
    public var clockIsSet = true
}

final class IngestCounters: Sendable {
    private let counts = Locked(IngestCounts())
    var current: IngestCounts { counts.withLock { $0 } }
    func update(_ change: (inout IngestCounts) -> Void) { counts.withLock { change(&$0) } }
}

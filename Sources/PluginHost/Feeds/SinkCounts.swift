/// What became of the events for a sink.
public struct SinkCounts: Sendable, Hashable {
    public var written = 0
    /// Events that came while it could not keep up, or was not there.
    public var dropped = 0
    public var restarts = 0
    public var lastError: String?

    public init() {}
}

/// Takes lines and never blocks: what it cannot take is dropped and counted.
public protocol LineSink: Sendable {
    /// - Parameter line: makes the line, with its end; only asked if there is room.
    func take(_ line: () throws -> [UInt8]) rethrows
    /// Counts an event that was lost on the way here.
    func drop()
    var counts: SinkCounts { get }
    /// Ends what it has running.
    func stop()
}

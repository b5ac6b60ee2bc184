/// What became of the events for a sink.
public struct SinkCounts: Sendable, Hashable {
    public var written = 0
    /// Events that came while it could not keep up, or was not there.
    public var dropped = 0
    public var restarts = 0
    public var lastError: String?

    public init() {}
}

/// Takes lines, one caller at a time. What cannot be written at all is dropped and counted.
public protocol LineSink: Sendable {
    /// Returns when there is room for another line.
    ///
    /// - Parameter line: with its end.
    func take(_ line: [UInt8]) async
    /// Counts events that were lost on the way here.
    func drop(_ count: Int)
    var counts: SinkCounts { get }
    /// Ends what it has running.
    func stop()
}

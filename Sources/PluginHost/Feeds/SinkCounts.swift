/// Counters of the events for a sink.
public struct SinkCounts: Sendable, Hashable {
    /// Events that were written.
    public var written = 0
    /// Events that came while the sink could not keep up or was not running.
    public var dropped = 0
    /// How often the child of an exec sink was restarted.
    public var restarts = 0
    public var lastError: String?

    public init() {}
}

/// A destination for lines, with one caller at a time. Lines that cannot be written are dropped and counted.
public protocol LineSink: Sendable {
    /// Writes a line, and returns when there is space for another.
    ///
    /// - Parameter line: includes its newline.
    func send(_ line: [UInt8]) async
    /// Counts events that were lost before they reached the sink.
    func drop(_ count: Int)
    var counts: SinkCounts { get }
    /// Writes what it can of the queued lines, and ends.
    func stop()
}

public import Listening

/// Who serves, for `org.varlink.service.GetInfo`.
public struct ServiceInfo: Sendable {
    public var vendor: String
    public var product: String
    public var version: String
    public var url: String

    public init(vendor: String, product: String, version: String, url: String) {
        (self.vendor, self.product, self.version, self.url) = (vendor, product, version, url)
    }
}

/// What a service allows its peers: whoever passes a limit is disconnected, with a line in the log that says why.
public struct ServiceLimits: Sendable {
    /// Connections at one time. One more gets the service's refusal as its first reply. Each holds a file descriptor:
    /// leave some for everything else the process opens.
    public var connections = 512
    /// Of these, how many only root and the service's own user get.
    public var reserved = 8
    /// When all are taken, a connection that has had no call for so long gives its place to a newcomer.
    public var grace = Duration.seconds(5)
    /// Bytes of replies that wait for a peer; beyond it the answer is suspended until the peer has read.
    public var outboundBytes = 1 << 20
    /// What unfinished messages of all connections may hold; of who sends most, the largest is disconnected.
    public var unfinished = MemoryBudget(limit: 64 << 20)
    /// What whole calls without an answer and long replies that nobody reads may hold, likewise.
    public var held = MemoryBudget(limit: 256 << 20, of: "unanswered calls and unread replies")
    /// How long a peer may leave that much waiting.
    public var stall = Duration.seconds(30)
    /// How long a message may take from its first byte to its last, while no call before it waits for its answer.
    public var message = Duration.seconds(30)
    /// How long a connection may be open without a call.
    public var idle = Duration.seconds(3600)

    public init() {}
}

public import Listening

/// What `org.varlink.service.GetInfo` says of the service.
public struct ServiceInfo: Sendable {
    public var vendor: String
    public var product: String
    public var version: String
    public var url: String

    public init(vendor: String, product: String, version: String, url: String) {
        (self.vendor, self.product, self.version, self.url) = (vendor, product, version, url)
    }
}

/// The limits of a service for its peers: one that exceeds a limit is disconnected, and the log says why.
public struct ServiceLimits: Sendable {
    /// Concurrent connections. A further one gets the service's refusal as its first reply. Each uses a file
    /// descriptor: leave some for everything else the process opens.
    public var connections = 512
    /// How many of these are reserved for root and the service's own user.
    public var reserved = 8
    /// When all are in use, a connection without a call for this long may be replaced by a new one.
    public var grace = Duration.seconds(5)
    /// Bytes of replies buffered for a peer; beyond this, the answer is suspended until the peer has read.
    public var outboundBytes = 1 << 20
    /// The memory for unfinished messages of all connections; beyond it, the connection with the largest one is
    /// disconnected, of the peer that holds most.
    public var unfinished = MemoryBudget(limit: 64 << 20)
    /// The memory for unanswered calls and long unread replies of all connections, likewise.
    public var held = MemoryBudget(limit: 256 << 20, of: "unanswered calls and unread replies")
    /// How long a peer may leave ``outboundBytes`` of replies unread.
    public var stall = Duration.seconds(30)
    /// How long a message may take from its first byte to its last, while no earlier call is unanswered.
    public var message = Duration.seconds(30)
    /// How long a connection may be open without a call.
    public var idle = Duration.seconds(3600)

    public init() {}
}

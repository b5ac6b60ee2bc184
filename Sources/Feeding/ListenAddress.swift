import NIOCore

/// The address of a listener.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    case unix(path: String)
    case internet(host: String, port: Int)

    /// Parses `port`, `host:port` or `[address]:port`; nil if the text is none of these.
    ///
    /// Without a host, the listener is reachable only from this machine. Port 0 lets the system choose.
    public init?(_ text: String) {
        let colon = text.lastIndex(of: ":")
        guard let port = UInt16(colon.map { text[text.index(after: $0)...] } ?? text[...]) else { return nil }
        var host = colon.map { text[..<$0] } ?? "127.0.0.1"
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        self = .internet(host: host.isEmpty ? "127.0.0.1" : String(host), port: Int(port))
    }

    public var description: String {
        switch self {
        case .unix(let path): path
        case .internet(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// The address with the port that the system chose for a channel.
    func bound(to address: SocketAddress?) -> ListenAddress {
        guard case .internet(let host, _) = self, let port = address?.port else { return self }
        return .internet(host: host, port: port)
    }
}

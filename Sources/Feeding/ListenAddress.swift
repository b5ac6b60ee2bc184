import NIOCore

/// Where a listener listens.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    case unix(path: String)
    case internet(host: String, port: Int)

    /// `port`, `host:port` or `[address]:port`; without a host only this machine reaches the listener. Port 0 lets the
    /// system choose. nil: the text is none of these.
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

    /// The address that a channel has in the end, with the port that the system chose.
    func bound(to address: SocketAddress?) -> ListenAddress {
        guard case .internet(let host, _) = self, let port = address?.port else { return self }
        return .internet(host: host, port: port)
    }
}

import LineProtocol

/// A parsed request target: the path, and the unit of timestamps.
struct WriteTarget {
    enum Dialect { case v1, v2 }

    let path: String
    private let query: [(name: Substring, value: Substring)]

    init(_ uri: String) {
        let halves = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = halves.first.map(String.init) ?? ""
        query = (halves.count > 1 ? halves[1] : "").split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (parts[0], parts.count > 1 ? parts[1] : "")
        }
    }

    /// nil if lines cannot be written to the path.
    var dialect: Dialect? {
        switch path {
        case "/write": .v1
        case "/api/v2/write": .v2
        default: nil
        }
    }

    /// The `precision` parameter in either dialect's spelling; nanoseconds without one, nil if it is unknown.
    var precision: Precision? {
        switch query.last(where: { $0.name == "precision" })?.value ?? "ns" {
        case "ns", "n", "": .nanoseconds
        case "us", "u", "%C2%B5", "%c2%b5", "%C2%B5s", "%c2%b5s": .microseconds
        case "ms": .milliseconds
        case "s": .seconds
        default: nil
        }
    }
}

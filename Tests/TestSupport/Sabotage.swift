import GRDB

/// Changes a database behind its owner's back.
public struct Sabotage {
    private let path: String
    public init(_ path: String) { self.path = path }

    public func run(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }
}

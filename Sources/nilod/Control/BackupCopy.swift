import Forecasting
import Glibc
import Storage

/// A copy of the database beside it, from which a backup is sent: a client may be slow, and a reader must not stay open.
///
/// It has a name only while it is being made. What a kill leaves then, the next start removes.
struct BackupCopy {
    private static let prefix = "backup-"
    /// Of the files that a database has beside it.
    private static let suffixes = ["", "-wal", "-shm", "-journal", ".lock", ".mark"]

    /// - Throws: ``StorageError``.
    static func make(of store: Store, in folder: String) throws -> PieceReader {
        let path = path(in: folder)
        defer { remove(path) }
        try store.backup(to: path) { _ in }
        return try PieceReader(path: path)
    }

    /// A name that no other copy has.
    static func path(in folder: String) -> String {
        "\(folder)/\(prefix)\(getpid())-\(UInt64.random(in: 0 ... .max))"
    }

    /// Removes a copy with all files beside it.
    static func remove(_ path: String) { for suffix in suffixes { unlink(path + suffix) } }

    /// Whether a file of this name is one: `backup-PID-NUMBER`.
    @Sendable static func isOne(_ name: String) -> Bool {
        suffixes.contains { suffix in
            guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return false }
            let parts = name.dropFirst(prefix.count).dropLast(suffix.count)
                .split(separator: "-", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, let pid = UInt32(parts[0]), pid <= 1 << 22 else { return false }
            return "\(pid)" == parts[0] && ManagedFiles.isNumbered(parts[1])
        }
    }
}

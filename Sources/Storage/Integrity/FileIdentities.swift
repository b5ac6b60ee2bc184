import Glibc

/// The files that a database was opened from: itself and its log.
///
/// Removed or replaced under a running daemon, they would go on taking commits that nobody finds again.
struct FileIdentities: Sendable {
    private struct Identity: Equatable {
        var device: UInt64
        var inode: UInt64
    }

    private let files: [(path: String, identity: Identity)]

    /// - Throws: ``StorageError/moved(path:)``, as ``check()`` does.
    init(database path: String) throws(StorageError) {
        // Behind a link, the log is beside what the link points at.
        guard let real = realpath(path, nil) else { throw .moved(path: path) }
        defer { free(real) }
        var files: [(path: String, identity: Identity)] = []
        for file in [path, String(cString: real) + "-wal"] { files.append((file, try Self.identity(of: file))) }
        self.files = files
    }

    /// Two calls of stat(2): cheap beside a commit's sync.
    func check() throws(StorageError) {
        for file in files where try Self.identity(of: file.path) != file.identity { throw .moved(path: file.path) }
    }

    private static func identity(of path: String) throws(StorageError) -> Identity {
        var status = stat()
        guard stat(path, &status) == 0, status.st_nlink > 0 else { throw .moved(path: path) }
        return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}

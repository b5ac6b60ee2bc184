import Glibc

/// The identities of the files that a database was opened from: the database itself and its log.
///
/// If they are removed or replaced under a running daemon, it would go on writing commits to files that nobody can open
/// again.
struct FileIdentities: Sendable {
    private struct Identity: Equatable {
        var device: UInt64
        var inode: UInt64
    }

    private let files: [(path: String, identity: Identity)]

    /// - Throws: ``StorageError/moved(path:)``, as ``check()`` does.
    init(database path: String) throws(StorageError) {
        // If the path is a symbolic link, the log is beside its target.
        guard let real = realpath(path, nil) else { throw .moved(path: path) }
        defer { free(real) }
        var files: [(path: String, identity: Identity)] = []
        for file in [path, String(cString: real) + "-wal"] { files.append((file, try Self.identity(of: file))) }
        self.files = files
    }

    /// Checks that the files are still the same ones. Two calls of stat(2): cheap compared with a commit's sync.
    ///
    /// - Throws: ``StorageError/moved(path:)``.
    func check() throws(StorageError) {
        for file in files where try Self.identity(of: file.path) != file.identity { throw .moved(path: file.path) }
    }

    private static func identity(of path: String) throws(StorageError) -> Identity {
        var status = stat()
        guard stat(path, &status) == 0, status.st_nlink > 0 else { throw .moved(path: path) }
        return Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}

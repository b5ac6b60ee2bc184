/// The identities of the files that a database was opened from: the database itself and its log.
///
/// If they are removed or replaced under a running daemon, it would go on writing commits to files that nobody can open
/// again.
struct FileIdentities: Sendable {
    private let files: [(path: String, identity: FileIdentity)]
    private let disk: any Disk

    /// - Throws: ``StorageError/moved(path:)``, as ``check()`` does.
    init(database path: String, on disk: any Disk) throws(StorageError) {
        // If the path is a symbolic link, the log is beside its target.
        guard let real = disk.resolved(path) else { throw .moved(path: path) }
        var files: [(path: String, identity: FileIdentity)] = []
        for file in [path, real + "-wal"] {
            guard let identity = disk.identity(of: file) else { throw .moved(path: file) }
            files.append((file, identity))
        }
        (self.files, self.disk) = (files, disk)
    }

    /// Checks that the files are still the same ones. Two calls of stat(2): cheap compared with a commit's sync.
    ///
    /// - Throws: ``StorageError/moved(path:)``.
    func check() throws(StorageError) {
        for file in files where disk.identity(of: file.path) != file.identity { throw .moved(path: file.path) }
    }
}

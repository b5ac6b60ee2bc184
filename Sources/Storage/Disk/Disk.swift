/// The file system that a database lies on; simulations bring their own.
///
/// What SQLite reads and writes goes through its VFS; this is for the few files that are read and written without it.
/// Paths are absolute or relative to the working directory.
package protocol Disk: Sendable {
    /// Takes the lock of a database, which lasts until it is released.
    ///
    /// - Throws: ``StorageError/lockedBy(pid:path:)``, ``StorageError/cannotOpen(path:reason:)``.
    func lock(database path: String) throws(StorageError) -> any DatabaseLock

    /// Opens a file for reading; nil if it cannot be opened.
    func open(_ path: String) -> (any ReadableFile)?

    /// Opens a file for writing, and creates it if there is none; nil if it cannot be opened.
    ///
    /// - Parameter isNew: whether an existing file is emptied.
    func openForWriting(_ path: String, isNew: Bool) -> (any WritableFile)?

    func exists(_ path: String) -> Bool

    /// Identifies the file at `path` for as long as it exists, whatever its name; nil if there is none.
    func identity(of path: String) -> FileIdentity?

    /// The path of a file with every symbolic link followed; nil if there is no such file.
    func resolved(_ path: String) -> String?

    /// Copies a file to a path at which there is none.
    func copy(_ path: String, to target: String) throws(StorageError)

    /// Renames a file atomically; one at `target` is replaced.
    func move(_ path: String, to target: String) throws(StorageError)

    /// Makes what was written to a file survive a power failure.
    ///
    /// - Throws: ``StorageError/io(path:reason:)``.
    func sync(_ path: String) throws(StorageError)

    /// Removes a file; does nothing if there is none.
    func remove(_ path: String)
}

/// The right to use a database, which one process at a time has.
package protocol DatabaseLock: Sendable {
    /// Releases the lock, so that another process, or this one, can open the database.
    func release()
}

/// What tells a file from all others on the same machine.
package struct FileIdentity: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64

    package init(device: UInt64, inode: UInt64) { (self.device, self.inode) = (device, inode) }
}

/// A file that is read in pieces; closed when it is deallocated.
package protocol ReadableFile: AnyObject {
    /// In bytes, when it was opened.
    var count: Int { get }

    /// The bytes from `offset` on; fewer than `count` at the end of the file.
    ///
    /// - Throws: ``StorageError/io(path:reason:)``.
    func read(at offset: Int, count: Int) throws(StorageError) -> [UInt8]
}

/// A file that is written in pieces, without syncing; closed when it is deallocated.
package protocol WritableFile: AnyObject, Sendable {
    /// - Returns: whether all bytes were written.
    @discardableResult
    func write(_ bytes: [UInt8], at offset: Int) -> Bool
}

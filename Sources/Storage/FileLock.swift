import Glibc
import Synchronization

/// An advisory lock on `<database>.lock`, held until it is released: one daemon a database.
final class FileLock: Sendable {
    private let descriptor: Int32
    private let isHeld = Mutex(true)

    /// - Throws: ``StorageError/lockedBy(pid:path:)`` or ``StorageError/cannotOpen(path:reason:)``.
    init(database path: String) throws(StorageError) {
        let lockPath = path + ".lock"
        descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .cannotOpen(path: lockPath, reason: String(cString: strerror(errno))) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.holder(descriptor)
            close(descriptor)
            throw .lockedBy(pid: holder, path: path)
        }
        ftruncate(descriptor, 0)
        _ = "\(getpid())\n".withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    deinit { release() }

    /// Lets another process, or another opener in this one, have the database.
    func release() {
        isHeld.withLock { isHeld in
            if isHeld {
                // Closing alone would leave it locked while a child that is just being started still has a copy.
                flock(descriptor, LOCK_UN)
                close(descriptor)
            }
            isHeld = false
        }
    }

    private static func holder(_ descriptor: Int32) -> Int32 {
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        let text = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        return Int32(text.prefix { $0.isNumber }) ?? 0
    }
}

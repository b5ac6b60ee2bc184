import Basics
import Glibc

/// An advisory lock on `<database>.lock`, held until it is released: one daemon per database.
final class FileLock: DatabaseLock {
    private let descriptor: Int32
    private let isHeld = Locked(true)

    /// - Throws: ``StorageError/lockedBy(pid:path:)`` or ``StorageError/cannotOpen(path:reason:)``.
    init(database path: String) throws(StorageError) {
        let lockPath = path + ".lock"
        descriptor = open(lockPath, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            let reason = errno == ELOOP ? "it is a link, expected a file of our own; remove it" : Self.text(errno)
            throw .cannotOpen(path: lockPath, reason: reason)
        }
        guard Self.isFileWithOneName(descriptor) else {
            close(descriptor)
            throw .cannotOpen(path: lockPath, reason: "expected a file with no other name; remove it")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.holder(descriptor)
            close(descriptor)
            throw .lockedBy(pid: holder, path: path)
        }
        // Overwritten in place, then truncated: on a full disk the file cannot grow.
        let text = Array("\(getpid())\n".utf8)
        _ = pwrite(descriptor, text, text.count, 0)
        _ = ftruncate(descriptor, off_t(text.count))
    }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }

    /// Whether the file is a regular file without other hard links: writing to it must not change another file.
    private static func isFileWithOneName(_ descriptor: Int32) -> Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_nlink == 1
    }

    deinit { release() }

    func release() {
        isHeld.withLock { isHeld in
            if isHeld {
                // Closing alone would keep it locked while a child process that is being started still has a copy of
                // the descriptor.
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

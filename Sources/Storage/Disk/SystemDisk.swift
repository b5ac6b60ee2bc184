import Glibc

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The machine's file system.
package struct SystemDisk: Disk {
    package init() {}

    package func lock(database path: String) throws(StorageError) -> any DatabaseLock { try FileLock(database: path) }

    package func open(_ path: String) -> (any ReadableFile)? { FileBytes(path: path) }

    package func openForWriting(_ path: String, isNew: Bool) -> (any WritableFile)? {
        OutputFile(path: path, isNew: isNew)
    }

    package func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    package func identity(of path: String) -> FileIdentity? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_nlink > 0 else { return nil }
        return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    package func resolved(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    package func copy(_ path: String, to target: String) throws(StorageError) {
        do {
            try FileManager.default.copyItem(atPath: path, toPath: target)
        } catch {
            throw .io(path: path, reason: "cannot be copied to \(target): \(error)")
        }
    }

    package func move(_ path: String, to target: String) throws(StorageError) {
        guard rename(path, target) == 0 else {
            throw .io(path: path, reason: "cannot be moved to \(target): \(String(cString: strerror(errno)))")
        }
    }

    package func sync(_ path: String) throws(StorageError) {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw .io(path: path, reason: String(cString: strerror(errno)))
        }
    }

    package func remove(_ path: String) { unlink(path) }
}

/// A file of the machine that is written.
private final class OutputFile: WritableFile {
    private let descriptor: Int32

    init?(path: String, isNew: Bool) {
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (isNew ? O_TRUNC : 0)
        descriptor = Glibc.open(path, flags, 0o640)
        if descriptor < 0 { return nil }
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8], at offset: Int) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(
                    descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written, off_t(offset + written)
                )
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }
}

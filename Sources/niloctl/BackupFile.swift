import ArgumentParser
import Glibc

/// The file that a backup is written to. Its name appears only once the whole file is on disk.
///
/// Until then it has no name (`O_TMPFILE`), so that nothing is left if the program is killed. On file systems without
/// such files, such as NFS and FAT, it is `NAME.part`, and the next backup to the same name reuses what a killed one
/// has left.
final class BackupFile {
    private let path: String
    private let replaces: Bool
    private let descriptor: Int32
    private let hasName: Bool
    private var size = 0
    /// The error code of the first write that failed.
    private var failure: Int32?

    /// `O_TMPFILE` of open(2), spelled out.
    private static let temporaryFlag: Int32 = 0o20_000_000 | O_DIRECTORY
    private var part: String { path + ".part" }

    /// - Throws: ``ExitCode``.
    init(_ path: String, replaces: Bool) throws {
        var status = stat()
        guard replaces || lstat(path, &status) != 0 else {
            throw Exit.say("\(path) exists; use --force to replace it", 73)
        }
        (self.path, self.replaces) = (path, replaces)
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let canBeNamed = access("/proc/self/fd", X_OK) == 0
        let temporary = canBeNamed ? open(folder, O_WRONLY | Self.temporaryFlag | O_CLOEXEC, 0o640) : -1
        hasName = temporary < 0
        descriptor = hasName ? try Self.openPart(path + ".part") : temporary
    }

    deinit { close(descriptor) }

    private static func openPart(_ path: String) throws -> Int32 {
        let file = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw Exit.say("cannot write \(path): \(text(errno))", 73) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 1 else {
            close(file)
            throw Exit.say("cannot write \(path): expected a file with no other name; remove it", 73)
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK, ftruncate(file, 0) == 0 else {
            close(file)
            throw Exit.say("cannot write \(path): another backup is writing it", 73)
        }
        return file
    }

    /// - Returns: whether the caller should go on; false after a failure.
    func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while failure == nil, !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { failure = errno }
            rest = rest.dropFirst(max(0, count))
        }
        size += bytes.count
        return failure == nil
    }

    /// Syncs the file and gives it its name.
    ///
    /// - Returns: its size in bytes.
    /// - Throws: ``ExitCode``.
    func finish() throws -> Int {
        if failure == nil, fsync(descriptor) != 0 || !isNamed() { failure = errno }
        guard let failure else { return size }
        drop()
        throw Exit.say("cannot write \(path): \(Self.text(failure))", 74)
    }

    private func isNamed() -> Bool {
        guard !hasName else { return rename(part, path) == 0 }
        guard replaces else { return isLinked(to: path) }
        let name = "\(part)-\(UInt64.random(in: 0 ... .max))"
        guard isLinked(to: name) else { return false }
        if rename(name, path) == 0 { return true }
        let code = errno
        unlink(name)
        errno = code
        return false
    }

    private func isLinked(to name: String) -> Bool {
        linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0
    }

    /// Removes the unfinished file.
    func drop() { if hasName { unlink(part) } }

    private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}

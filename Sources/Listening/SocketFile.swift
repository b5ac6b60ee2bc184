/// `Listening`: what all listeners share: socket files that belong to this process alone, connection limits that a
/// silent peer cannot exhaust, and one memory budget for unfinished messages.
import Basics
import Glibc

/// A Unix socket at a path, created only if nobody listens there and removed only by the process that created it.
///
/// A socket without a listener is replaced. One with a live listener is not, nor is anything that is not a socket.
public final class SocketFile: Sendable {
    public enum Kind: Sendable { case stream, datagram }

    public let path: String
    /// Bound, non-blocking and, for a stream socket, listening. The user closes it.
    public let descriptor: Int32
    /// Identifies the file itself, whatever its name.
    private let pin: FilePin

    /// The files that were created and not removed yet.
    private static let active = Locked<[ObjectIdentifier: SocketFile]>([:])
    private static let backlog: Int32 = 256

    /// Creates the socket, writable for its owner and group before anybody can connect.
    ///
    /// - Throws: ``SocketFileError``.
    public init(path: String, _ kind: Kind) throws(SocketFileError) {
        let address = try SocketAddress(path)
        let lock = FolderLock(of: path)
        defer { lock.release() }
        try Self.clear(address, kind)
        self.path = path
        (descriptor, pin) = try Self.listen(address, kind)
        Self.active.withLock { $0[ObjectIdentifier(self)] = self }
    }

    /// Removes the file, unless something else is at the path by now.
    public func remove() {
        let isOurs = Self.active.withLock { $0.removeValue(forKey: ObjectIdentifier(self)) != nil }
        guard isOurs else { return }
        let lock = FolderLock(of: path)
        defer { lock.release() }
        if pin.isAt(path) { unlink(path) }
        pin.release()
    }

    /// Removes every socket file of this process, when it exits.
    public static func removeAll() {
        for file in active.withLock({ Array($0.values) }) { file.remove() }
    }

    /// - Throws: ``SocketFileError`` if the path is not valid for a socket.
    public static func check(path: String) throws(SocketFileError) { _ = try SocketAddress(path) }

    private static func listen(
        _ address: SocketAddress, _ kind: Kind
    ) throws(SocketFileError) -> (descriptor: Int32, pin: FilePin) {
        let descriptor = try address.open(kind)
        do throws(SocketFileError) {
            guard address.with({ bind(descriptor, $0, $1) }) == 0 else { throw address.failure("bind") }
            guard let pin = FilePin(address.path) else { throw address.failure("open") }
            guard chmod(address.path, 0o660) == 0 else { throw address.failure("chmod") }
            guard kind == .datagram || Glibc.listen(descriptor, backlog) == 0 else { throw address.failure("listen") }
            return (descriptor, pin)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Removes a socket without a listener.
    private static func clear(_ address: SocketAddress, _ kind: Kind) throws(SocketFileError) {
        var status = stat()
        guard lstat(address.path, &status) == 0 else {
            if errno == ENOENT { return }
            throw address.failure("lstat")
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw .notASocket(address.path) }
        guard try !isServed(address, kind) else { throw .inUse(address.path) }
        unlink(address.path)
    }

    private static func isServed(_ address: SocketAddress, _ kind: Kind) throws(SocketFileError) -> Bool {
        let probe = try address.open(kind)
        defer { close(probe) }
        guard address.with({ connect(probe, $0, $1) }) != 0 else { return true }
        switch errno {
        case ECONNREFUSED, ENOENT: return false
        // Its queue is full, or it is a live socket of another type.
        case EAGAIN, EINPROGRESS, EPROTOTYPE: return true
        default: throw address.failure("connect")
        }
    }
}

/// Keeps a file open so that its device and inode numbers stay its own: those of a removed file are soon reused.
private struct FilePin: Sendable {
    private let descriptor: Int32
    private let status: stat
    /// `O_PATH` of open(2): opens a file without access to its content, which a socket does not have. The Glibc module
    /// hides it without _GNU_SOURCE.
    private static let pathOnly: Int32 = 0x20_0000

    /// nil if there is no file.
    init?(_ path: String) {
        descriptor = open(path, Self.pathOnly | O_NOFOLLOW | O_CLOEXEC)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else { return nil }
        self.status = status
    }

    func isAt(_ path: String) -> Bool {
        var current = stat()
        return lstat(path, &current) == 0 && current.st_dev == status.st_dev && current.st_ino == status.st_ino
    }

    func release() { close(descriptor) }
}

/// Keeps two processes from replacing the same dead socket at once: the second would remove the first one's.
private struct FolderLock {
    private let descriptor: Int32

    /// If the folder cannot be locked, goes on without: the lock only narrows a race.
    init(of path: String) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // The wait is bounded, because anyone who may read the folder may hold its lock.
        for _ in 0..<10 where descriptor >= 0 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK { return }
            _ = poll(nil, 0, 10)
        }
    }

    func release() { if descriptor >= 0 { close(descriptor) } }
}

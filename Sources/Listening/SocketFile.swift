/// `Listening`: what all listeners share: socket files that are nobody else's, connection limits that a silent peer cannot exhaust,
/// and one budget for unfinished messages.
import Glibc
import Synchronization

/// A Unix socket at a path, made where nobody listens and removed only by the process that made it.
///
/// A socket that nobody listens on any more is replaced. One with a living listener is not, and neither is anything that
/// is no socket.
public final class SocketFile: Sendable {
    public enum Kind: Sendable { case stream, datagram }

    public let path: String
    /// Bound, not blocking, and listening if it is a stream's. Whoever uses it closes it.
    public let descriptor: Int32
    /// The file itself, whatever its name.
    private let pin: FilePin

    /// Those that were made and not removed yet.
    private static let made = Mutex<[ObjectIdentifier: SocketFile]>([:])
    private static let backlog: Int32 = 256

    /// Its owner and its group may write, before anybody can connect.
    ///
    /// - Throws: ``SocketFileError``.
    public init(path: String, _ kind: Kind) throws(SocketFileError) {
        let address = try SocketAddress(path)
        let lock = FolderLock(of: path)
        defer { lock.release() }
        try Self.clear(address, kind)
        self.path = path
        (descriptor, pin) = try Self.listen(address, kind)
        Self.made.withLock { $0[ObjectIdentifier(self)] = self }
    }

    /// Removes the file, unless something else lies at the path by now.
    public func remove() {
        let isOurs = Self.made.withLock { $0.removeValue(forKey: ObjectIdentifier(self)) != nil }
        guard isOurs else { return }
        let lock = FolderLock(of: path)
        defer { lock.release() }
        if pin.lies(at: path) { unlink(path) }
        pin.release()
    }

    /// Removes every file of this process: for its end.
    public static func removeAll() {
        for file in made.withLock({ Array($0.values) }) { file.remove() }
    }

    /// - Throws: ``SocketFileError`` if no socket can have that path.
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

    /// Removes a socket that nobody listens on.
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
        // Its queue is full; or it is a living socket of another kind.
        case EAGAIN, EINPROGRESS, EPROTOTYPE: return true
        default: throw address.failure("connect")
        }
    }
}

/// Holds on to a file, so that its device and inode stay its own: those of a removed file are soon given to another.
private struct FilePin: Sendable {
    private let descriptor: Int32
    private let status: stat
    /// Opens a file without its content, which sockets have none of; open(2). Glibc's module shows it only to GNU sources.
    private static let pathOnly: Int32 = 0x20_0000

    /// nil: there is none.
    init?(_ path: String) {
        descriptor = open(path, Self.pathOnly | O_NOFOLLOW | O_CLOEXEC)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else { return nil }
        self.status = status
    }

    func lies(at path: String) -> Bool {
        var found = stat()
        return lstat(path, &found) == 0 && found.st_dev == status.st_dev && found.st_ino == status.st_ino
    }

    func release() { close(descriptor) }
}

/// Keeps two processes from replacing the same dead socket at once: the later would take the earlier's.
private struct FolderLock {
    private let descriptor: Int32

    /// A folder that cannot be locked is done without: the lock only narrows a race.
    init(of path: String) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // Bounded, because anybody who may read the folder may hold its lock.
        for _ in 0..<10 where descriptor >= 0 {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK { return }
            _ = poll(nil, 0, 10)
        }
    }

    func release() { if descriptor >= 0 { close(descriptor) } }
}

package import Glibc

/// A folder that is opened once and then accessed through its descriptor.
///
/// Its contents are reached by a single name, so neither a link nor a name with a slash leads out of it. May be used
/// from all threads.
///
/// New folders and files belong to the owner and are readable by the group (0750 and 0640, minus the umask).
public final class Directory: Sendable {
    package let descriptor: Int32
    /// The path at which it was opened, for child processes and messages.
    public let path: String

    private init(descriptor: Int32, path: String) { (self.descriptor, self.path) = (descriptor, path) }

    deinit { close(descriptor) }

    /// Opens a folder, whose path may contain links.
    ///
    /// - Throws: ``ForecastingError``, as everything here does.
    public convenience init(opening path: String) throws {
        guard let real = realpath(path, nil) else { throw Self.error(path, "cannot be opened") }
        defer { free(real) }
        let descriptor = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.error(path, "cannot be opened") }
        self.init(descriptor: descriptor, path: String(cString: real))
    }

    /// Opens the folder at `path`, and creates it in its parent if it does not exist; a link in its place is refused.
    public static func openOrCreate(_ path: String) throws -> Directory {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true)
        guard let name = parts.last else { throw ForecastingError.badFile(path, reason: "expected a folder of one") }
        let parent = (path.hasPrefix("/") ? "/" : "./") + parts.dropLast().joined(separator: "/")
        return try Directory(opening: parent).folder(String(name))
    }

    /// Opens a folder in this one, and creates it if it does not exist; a link in its place is refused.
    public func folder(_ name: String) throws -> Directory {
        let path = try self.path(of: name)
        guard mkdirat(descriptor, name, 0o750) == 0 || errno == EEXIST else { throw Self.error(path, "cannot be made") }
        guard let folder = opened(name) else {
            throw Self.error(path, "cannot be opened as a folder (a link is not followed)")
        }
        return folder
    }

    /// Creates a folder whose name is `prefix` and the lowest unused number.
    public func numberedFolder(_ prefix: String = "") throws -> (name: String, folder: Directory) {
        for number in 1...Self.maximumNumber {
            let name = "\(prefix)\(number)"
            if mkdirat(descriptor, name, 0o750) == 0 { return (name, try folder(name)) }
            guard errno == EEXIST else { throw Self.error("\(path)/\(name)", "cannot be made") }
        }
        throw ForecastingError.badFile(path, reason: "holds \(Self.maximumNumber) folders of earlier runs; remove some")
    }

    private static let maximumNumber = 10_000

    /// Writes a file atomically: a reader sees all of it or none.
    public func write(_ bytes: [UInt8], to name: String) throws {
        let path = try self.path(of: name)
        let part = ManagedFiles.partPrefix + "\(UInt64.random(in: 0 ... .max))"
        let file = openat(descriptor, part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o640)
        guard file >= 0 else { throw Self.error(path, "cannot be written") }
        let isWritten = Self.write(bytes, to: file)
        let code = errno
        close(file)
        guard isWritten, renameat(descriptor, part, descriptor, name) == 0 else {
            let reason = isWritten ? errno : code
            unlinkat(descriptor, part, 0)
            throw Self.error(path, "cannot be written", reason)
        }
    }

    private static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
        var remaining = bytes[...]
        while !remaining.isEmpty {
            let count = remaining.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            remaining = remaining.dropFirst(count)
        }
        return true
    }

    /// Reads a whole file; a link, or anything that is not a regular file, is refused.
    public func read(_ name: String) throws -> [UInt8] {
        let path = try self.path(of: name)
        let file = openat(descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw Self.error(path, "cannot be read") }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ForecastingError.badFile(path, reason: "expected a file")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(status.st_size))
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.error(path, "cannot be read") }
            guard count > 0 else { return bytes }
            bytes += buffer[..<count]
        }
    }

    /// Whether there is a regular file of that name; a link does not count.
    public func hasFile(_ name: String) -> Bool { status(of: name).map { $0.st_mode & S_IFMT == S_IFREG } ?? false }

    func path(of name: String) throws -> String {
        let path = "\(self.path)/\(name)"
        guard !name.isEmpty, name != ".", name != "..", !name.utf8.contains(where: { $0 == 0 || $0 == 0x2F }) else {
            throw ForecastingError.badFile(path, reason: "expected the name of one file in this folder")
        }
        return path
    }

    /// Opens an existing folder; nil for anything else, including a link.
    package func opened(_ name: String) -> Directory? {
        let child = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        return child < 0 ? nil : Directory(descriptor: child, path: "\(path)/\(name)")
    }

    /// The status of the entry itself, not of the target of a link.
    package func status(of name: String) -> stat? {
        var status = stat()
        return fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
    }

    private static func error(_ path: String, _ what: String, _ code: Int32 = errno) -> ForecastingError {
        guard code != ENOSPC, code != EDQUOT else { return .noSpace(path: path) }
        return .badFile(path, reason: "\(what): \(String(cString: strerror(code)))")
    }
}

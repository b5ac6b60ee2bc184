import Forecasting
import Glibc
import PluginHost
import Storage
import TimeSeries

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The daemon's own folder: made if it is missing, opened once, kept from others, and locked while the daemon lives.
///
/// The lock is on the folder itself, so that it holds when somebody removes the database's lock file.
struct StateFolder: Sendable {
    let folder: Directory

    /// For whatever is made in it: for the owner and the group.
    static let umask: mode_t = 0o027

    private static let database = "nilo.db"
    private static let training = "training"
    var database: String { "\(folder.path)/\(Self.database)" }
    var training: URL { URL(filePath: "\(folder.path)/\(Self.training)") }
    var plugins: String { "\(folder.path)/\(PluginExchange.folder)" }

    /// - Throws: ``ExitCode``, or ``StorageError/lockedBy(pid:path:)``.
    init(_ path: String) throws {
        do {
            try Self.make(path)
            folder = try Directory(opening: path)
        } catch {
            throw Exit.say("\(error); choose another --state-dir, or let this user write there", 73)
        }
        guard flock(folder.descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
            let holder = try? folder.read("\(Self.database).lock")
            let text = String(decoding: holder ?? [], as: UTF8.self)
            throw StorageError.lockedBy(pid: Int32(text.prefix { $0.isNumber }) ?? 0, path: database)
        }
    }

    /// Makes a folder and those around it.
    static func make(_ path: String) throws {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/\(part)"
            guard mkdir(made, 0o777) == 0 || errno == EEXIST else {
                throw ForecastingError.badFile(made, reason: "cannot be made: \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Takes away what others may do with the folder and with the files that the daemon has made in it.
    ///
    /// - Returns: a sentence for each that was open.
    func tighten() -> [String] {
        var warnings: [String] = []
        if let status = status(of: folder.descriptor) {
            // A folder that others share, such as /tmp, is theirs to keep open.
            if status.st_uid == geteuid(), status.st_mode & S_ISVTX == 0 {
                warnings += tighten(folder.descriptor, folder.path)
            }
        }
        for name in ["", "-wal", "-shm", ".lock"].map({ Self.database + $0 }) + [Reserve.name] {
            let file = openat(folder.descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard file >= 0 else { continue }
            defer { close(file) }
            if let status = status(of: file), status.st_mode & S_IFMT == S_IFREG {
                warnings += tighten(file, "\(folder.path)/\(name)")
            }
        }
        for inside in [Self.training, PluginExchange.folder].compactMap({ folder.opened($0) }) {
            warnings += tighten(inside.descriptor, inside.path)
        }
        return warnings
    }

    private func tighten(_ descriptor: Int32, _ path: String) -> [String] {
        guard let status = status(of: descriptor), status.st_mode & 0o027 != 0 else { return [] }
        let (open, tight) = (status.st_mode & 0o777, status.st_mode & 0o750)
        guard fchmod(descriptor, tight) == 0 else {
            return [
                "\(path) is open to others (\(octal(open))) and cannot be closed: \(String(cString: strerror(errno)))"
            ]
        }
        return ["\(path) was open to others (\(octal(open))); it is \(octal(tight)) now"]
    }

    private func octal(_ mode: mode_t) -> String { "0\(String(mode, radix: 8))" }

    private func status(of descriptor: Int32) -> stat? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status : nil
    }

    /// Removes what a daemon that was killed has left: copies for backups, run folders, weights for plugins.
    ///
    /// - Returns: a sentence for everything that was removed, and for what stays in a run folder because it is not ours.
    func removeLeftovers() -> [String] {
        var (removed, stays) = folder.remove(ManagedFiles(files: BackupCopy.isOne))
        if folder.opened(Self.training) != nil, let runs = try? RunFolders(training) {
            let found = runs.removeAll()
            (removed, stays) = (removed + found.removed, stays + found.stays)
        }
        removed += folder.opened(PluginExchange.folder)?.remove(PluginExchange.leftovers).removed ?? []
        return removed.map { "removed what an earlier start left: \($0)" }
            + stays.map { "left alone, because nilod has not made it: \($0)" }
    }
}

import Forecasting
import Glibc

/// A little room on the disk that is given up when a start finds none: opening the database takes some, and a daemon that
/// starts serves what it has and heals when there is room again.
struct Reserve: Sendable {
    let folder: Directory

    static let name = "nilo.db.reserve"
    private static let most: off_t = 256 << 10
    /// SQLite's shared memory takes 32 KiB, and the beginning of its log four pages or more.
    private static let least: off_t = 48 << 10

    /// Gives it up if there is hardly any room.
    ///
    /// - Returns: a sentence if it was needed.
    func giveUpIfNeeded() -> String? {
        guard let free, free < Self.most, unlinkat(folder.descriptor, Self.name, 0) == 0 else { return nil }
        return "the disk of \(folder.path) is full: readings are refused until there is room again; free some space"
    }

    /// Takes it again, as much of it as there is room for.
    func take() {
        let size = folder.status(of: Self.name)?.st_size ?? 0
        guard size < Self.most, let free, let wanted = Self.wanted(free, size) else { return }
        let file = openat(folder.descriptor, Self.name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o640)
        guard file >= 0 else { return }
        defer { close(file) }
        if posix_fallocate(file, 0, wanted) != 0 { unlinkat(folder.descriptor, Self.name, 0) }
    }

    /// All of it where there is plenty; else what fits, but what is there already does not compete with readings.
    private static func wanted(_ free: off_t, _ size: off_t) -> off_t? {
        guard free <= 8 * most else { return most }
        return size > 0 || free < least ? nil : min(most, free / 4_096 * 4_096)
    }

    /// Bytes that this user may still write; nil: not known.
    private var free: off_t? {
        var status = statvfs()
        guard fstatvfs(folder.descriptor, &status) == 0 else { return nil }
        return off_t(
            clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
    }
}

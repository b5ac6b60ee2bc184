import Glibc
import TimeSeries

/// How far commits had come, in a file of its own beside the database: `<database>.mark`.
///
/// A write-ahead log whose end is missing looks like one that a crash has torn: SQLite goes on without it, and the
/// acknowledged commits in it are gone unseen. So each commit's position is written here once it is synced. The file itself
/// is not synced: after a power cut it may be old, which proves less, but never new.
///
/// | bytes | what |
/// |---|---|
/// | 8 | "nilomark" |
/// | 8 | the journal position that was acknowledged, little-endian |
/// | 4 | CRC-32C of all before, little-endian |
///
/// Belongs to the thread that writes.
final class CommitMark: Sendable {
    private let descriptor: Int32

    /// Opens the mark of the database at `path`; where it cannot be opened, commits go on unmarked.
    init(database path: String) {
        descriptor = open(Self.path(of: path), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    static func path(of database: String) -> String { database + ".mark" }

    /// Notes that everything up to `position` is on disk.
    func note(_ position: JournalPosition) {
        guard descriptor >= 0 else { return }
        _ = Self.encode(position).withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    private static func encode(_ position: JournalPosition) -> [UInt8] {
        var writer = ByteWriter(capacity: 20)
        writer.append(Array("nilomark".utf8))
        writer.fixed(position)
        writer.fixed(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    /// The position that the mark of the database at `path` holds; nil without one, or if it is damaged.
    static func position(of path: String) -> JournalPosition? {
        guard let bytes = FileBytes(path: Self.path(of: path))?.read(at: 0, count: 20), bytes.count == 20 else {
            return nil
        }
        var reader = ByteReader(Array(bytes[8...]))
        guard let position = try? reader.fixed(Int64.self), encode(position) == bytes else { return nil }
        return position
    }
}

import TimeSeries

/// The position of the last acknowledged commit, in a file of its own beside the database: `<database>.mark`.
///
/// A write-ahead log whose end is missing looks like one torn by a crash: SQLite silently ignores the rest, and
/// acknowledged commits are lost without notice. So each commit's position is written here once it is synced. The file
/// itself is not synced: after a power failure it may be behind the database, which proves less, but never ahead.
///
/// | bytes | what |
/// |---|---|
/// | 8 | "nilomark" |
/// | 8 | the journal position that was acknowledged, little-endian |
/// | 4 | CRC-32C of all before, little-endian |
///
/// Used only on the writer thread.
final class CommitMark: Sendable {
    /// nil: commits go unmarked.
    private let file: (any WritableFile)?

    /// Opens the mark of the database at `path`; if it cannot be opened, commits go unmarked.
    init(database path: String, on disk: any Disk) {
        file = disk.openForWriting(Self.path(of: path), isNew: false)
    }

    static func path(of database: String) -> String { database + ".mark" }

    /// Records that everything up to `position` is on disk.
    func record(_ position: JournalPosition) {
        file?.write(Self.encode(position), at: 0)
    }

    private static func encode(_ position: JournalPosition) -> [UInt8] {
        var writer = ByteWriter(capacity: 20)
        writer.append(Array("nilomark".utf8))
        writer.fixed(position)
        writer.fixed(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    /// The position in the mark of the database at `path`; nil if there is no mark, or if it is damaged or cannot be read.
    static func position(of path: String, on disk: any Disk) -> JournalPosition? {
        guard let bytes = try? disk.open(Self.path(of: path))?.read(at: 0, count: 20), bytes.count == 20 else {
            return nil
        }
        var reader = ByteReader(Array(bytes[8...]))
        guard let position = try? reader.fixed(Int64.self), encode(position) == bytes else { return nil }
        return position
    }
}

import ControlInterface
import Glibc
import LineProtocol
import TimeSeries

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The progress of the ingest of a file, kept on disk while it runs so that it can be resumed.
struct IngestRecord: Codable {
    var file: String
    /// Format and unit of the timestamps, which must be the same to resume.
    var options: String
    /// The offset in bytes up to which the input is acknowledged, and the number of the line there.
    var offset = 0
    var line = 1
    /// The end of the piece that was sent last, and the time in ns that was given to its lines without a timestamp:
    /// sent again, it is the same piece.
    var sending: Sending?
    /// A checksum of all bytes before ``offset``, to tell whether the file is still the same.
    private(set) var checksum = Self.emptyChecksum
    /// A reading that the daemon has if it is still the same one with the same database.
    private(set) var witness: Witness?
    var accepted = 0
    var late = 0
    var skipped = 0
    var refused = 0
    var position = 0

    struct Sending: Codable {
        var end: Int
        var time: Int64
    }

    struct Witness: Codable {
        var series: String
        /// In ns since 1970.
        var time: Int64
    }

    private static let emptyChecksum: UInt64 = 0xcbf2_9ce4_8422_2325

    init(file: String, options: String) { (self.file, self.options) = (file, options) }

    /// The path of the record of `file`; nil if there is no home directory.
    private static func path(of file: String) -> String? {
        guard let state = environment("XDG_STATE_HOME") ?? environment("HOME").map({ $0 + "/.local/state" }) else {
            return nil
        }
        return "\(state)/nilometer/ingest/\(String(fnv1a(Array(file.utf8)), radix: 16)).json"
    }

    /// The record of an unfinished ingest of `file`; nil if there is none.
    static func load(of file: String) -> IngestRecord? {
        guard let path = path(of: file), let data = try? Data(contentsOf: URL(filePath: path)) else { return nil }
        let record = try? JSONDecoder().decode(IngestRecord.self, from: data)
        return record?.file == file ? record : nil
    }

    /// Stores the record.
    ///
    /// - Returns: whether it is on disk.
    func save() -> Bool {
        guard let path = Self.path(of: file), let data = try? JSONEncoder().encode(self) else { return false }
        let folder = URL(filePath: path).deletingLastPathComponent().path
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let partial = path + ".part"
        guard let out = fopen(partial, "we") else { return false }
        let bytes = [UInt8](data)
        // The timestamps of a piece must be on disk before it is sent, even after a power failure.
        let isWritten = fwrite(bytes, 1, bytes.count, out) == bytes.count && fflush(out) == 0 && fsync(fileno(out)) == 0
        fclose(out)
        return isWritten && rename(partial, path) == 0
    }

    /// Removes the record, because there is nothing to resume.
    func remove() { if let path = Self.path(of: file) { unlink(path) } }

    mutating func add(_ reply: Control.Ingest.Reply) {
        accepted += reply.accepted
        late += reply.late
        skipped += reply.skipped
        refused += reply.refused
        position = max(position, reply.position)
    }

    /// Records what was acknowledged.
    ///
    /// - Parameters:
    ///   - end: the end of the acknowledged bytes in the file of `descriptor`.
    ///   - last: the last reading of the piece if all of it was accepted.
    mutating func advance(to end: Int, line: Int, of descriptor: Int32, last: IncomingReading?) {
        checksum = Self.checksum(descriptor, offset..<end, after: checksum)
        (offset, self.line, sending) = (end, line, nil)
        if let last, let time = last.timestamp {
            witness = Witness(series: last.key.description, time: time.nanoseconds)
        }
    }

    /// Whether the file of `descriptor` begins with what was acknowledged.
    func matches(_ descriptor: Int32) -> Bool {
        Self.checksum(descriptor, 0..<offset, after: Self.emptyChecksum) == checksum
    }

    /// The bytes of a pipe cannot be read again, but its record is never resumed either.
    private static func checksum(_ descriptor: Int32, _ range: Range<Int>, after start: UInt64) -> UInt64 {
        var (sum, position) = (start, range.lowerBound)
        var buffer = [UInt8](repeating: 0, count: min(1 << 20, range.count))
        while position < range.upperBound {
            let count = pread(descriptor, &buffer, min(buffer.count, range.upperBound - position), off_t(position))
            guard count > 0 else { break }
            sum = fnv1a(buffer[..<count], after: sum)
            position += count
        }
        return sum
    }

    /// 64-bit FNV-1a (Fowler, Noll and Vo).
    private static func fnv1a(_ bytes: some Sequence<UInt8>, after start: UInt64 = emptyChecksum) -> UInt64 {
        bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

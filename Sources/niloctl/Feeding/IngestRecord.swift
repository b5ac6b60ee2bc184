import ControlInterface
import Glibc
import LineProtocol
import TimeSeries

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// How far the ingest of a file has come: kept on disk while it runs, so that it can go on after an interruption.
struct IngestRecord: Codable {
    var file: String
    /// Format and unit of the timestamps, which must be the same to go on.
    var options: String
    /// Acknowledged up to here, and the number of the line there.
    var offset = 0
    var line = 1
    /// The end of the piece that is on its way, and the time its lines without a timestamp were given, in ns: sent again,
    /// it is the same piece.
    var sending: Sending?
    /// A checksum of all bytes before ``offset``, to tell whether the file is still the same.
    private(set) var checksum = Self.emptyChecksum
    /// A reading that the daemon has, if it still is the same with the same database.
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

    /// Where the record of `file` is kept.
    private static func path(of file: String) -> String? {
        guard let state = environment("XDG_STATE_HOME") ?? environment("HOME").map({ $0 + "/.local/state" }) else {
            return nil
        }
        return "\(state)/nilometer/ingest/\(String(fnv1a(Array(file.utf8)), radix: 16)).json"
    }

    /// The record of an ingest of `file` that did not end; nil if there is none.
    static func load(of file: String) -> IngestRecord? {
        guard let path = path(of: file), let data = try? Data(contentsOf: URL(filePath: path)) else { return nil }
        let record = try? JSONDecoder().decode(IngestRecord.self, from: data)
        return record?.file == file ? record : nil
    }

    /// - Returns: whether it is on disk.
    func save() -> Bool {
        guard let path = Self.path(of: file), let data = try? JSONEncoder().encode(self) else { return false }
        let folder = URL(filePath: path).deletingLastPathComponent().path
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let partial = path + ".part"
        guard let out = fopen(partial, "we") else { return false }
        let bytes = [UInt8](data)
        // The stamps of a piece must be known before it is sent, even after a power cut.
        let isWritten = fwrite(bytes, 1, bytes.count, out) == bytes.count && fflush(out) == 0 && fsync(fileno(out)) == 0
        fclose(out)
        return isWritten && rename(partial, path) == 0
    }

    /// Nothing is left to go on with.
    func remove() { if let path = Self.path(of: file) { unlink(path) } }

    mutating func add(_ reply: Reply.Ingest) {
        accepted += reply.accepted
        late += reply.late
        skipped += reply.skipped
        refused += reply.refused
        position = max(position, reply.position)
    }

    /// Notes what was acknowledged.
    ///
    /// - Parameters:
    ///   - end: of the acknowledged bytes of `descriptor`'s file.
    ///   - last: the newest reading of a piece that was taken as a whole.
    mutating func pass(to end: Int, line: Int, of descriptor: Int32, last: IncomingReading?) {
        checksum = Self.checksum(descriptor, offset..<end, after: checksum)
        (offset, self.line, sending) = (end, line, nil)
        if let last, let time = last.timestamp {
            witness = Witness(series: last.key.description, time: time.nanoseconds)
        }
    }

    /// Whether `descriptor`'s file begins with what was acknowledged.
    func isOf(_ descriptor: Int32) -> Bool {
        Self.checksum(descriptor, 0..<offset, after: Self.emptyChecksum) == checksum
    }

    /// A pipe has no bytes to look at again, and no record that anybody goes on with.
    private static func checksum(_ descriptor: Int32, _ range: Range<Int>, after start: UInt64) -> UInt64 {
        var (sum, place) = (start, range.lowerBound)
        var buffer = [UInt8](repeating: 0, count: min(1 << 20, range.count))
        while place < range.upperBound {
            let count = pread(descriptor, &buffer, min(buffer.count, range.upperBound - place), off_t(place))
            guard count > 0 else { break }
            sum = fnv1a(buffer[..<count], after: sum)
            place += count
        }
        return sum
    }

    /// Fowler, Noll and Vo's hash, 64 bits, variant 1a.
    private static func fnv1a(_ bytes: some Sequence<UInt8>, after start: UInt64 = emptyChecksum) -> UInt64 {
        bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}

/// SQLite's write-ahead log as a file: its frames, and which of them are intact.
///
/// https://sqlite.org/fileformat2.html#the_write_ahead_log defines the format. The checksum of a frame continues that
/// of the previous frame, so SQLite reads up to the first damaged frame and takes the rest for the remains of a crash.
/// Whether a crash explains the damage can be decided: a transaction is synced before the next one begins, so a crash
/// tears at most the last one.
struct WriteAheadLog {
    struct Frame {
        /// The index of the frame in the log, from 0.
        var number: Int
        var page: UInt32
        /// Whether the frame ends a transaction.
        var isCommit: Bool
        /// Whether the frame belongs to this generation and its checksum continues that of the frame before.
        var isIntact: Bool
    }

    let pageSize: Int
    /// Whether the header's own checksum is right.
    let isHeaderIntact: Bool
    /// The frames up to the last one with the salt of this generation of the log, intact or not.
    let frames: [Frame]

    static let headerSize = 32
    static let frameHeaderSize = 24
    /// What a drive writes as a whole, in bytes; larger sectors end where these do.
    private static let sectorSize = 512

    /// Reads the log of a database; nil if there is none or it is empty.
    ///
    /// - Parameter fallbackPageSize: used if the header is damaged, in bytes.
    /// - Throws: ``StorageError/io(path:reason:)``.
    init?(path: String, on disk: any Disk, fallbackPageSize: Int?) throws(StorageError) {
        guard let file = disk.open(path),
            case let bytes = try file.read(at: 0, count: Self.headerSize), bytes.count == Self.headerSize
        else { return nil }
        let header = Header(bytes)
        isHeaderIntact = header.isIntact
        guard let pageSize = header.isIntact ? header.pageSize : fallbackPageSize ?? header.pageSize else { return nil }
        self.pageSize = pageSize
        frames = try Self.frames(of: file, header, pageSize)
    }

    private static func frames(of file: any ReadableFile, _ header: Header, _ pageSize: Int)
        throws(StorageError) -> [Frame]
    {
        let size = frameHeaderSize + pageSize
        var (frames, sum, salt): ([Frame], LogChecksum, [UInt8]) = ([], header.checksum, header.salt)
        var last = 0
        for number in 0..<((file.count - headerSize) / size) {
            let bytes = try file.read(at: headerSize + number * size, count: size)
            guard bytes.count == size else { break }
            // A damaged header's salt may be damaged too; use the first frame's.
            if number == 0, !header.isIntact { salt = Array(bytes[8..<16]) }
            let isOurs = Array(bytes[8..<16]) == salt
            let stored = LogChecksum(stored: bytes[16..<24])
            let isIntact = isOurs && sum.adding(bytes[0..<8]).adding(bytes[24...]) == stored
            sum = LogChecksum(stored: bytes[16..<24], like: sum)
            if isOurs { last = number + 1 }
            // A torn write may have left the first eight bytes of a frame from an earlier generation, with its mark of a
            // commit, where a sector ends after them.
            let isMixed =
                !isIntact && (headerSize + number * size + 8) % sectorSize == 0
            let frame = Frame(
                number: number, page: bigEndian(bytes[0..<4]),
                isCommit: isOurs && !isMixed && bigEndian(bytes[4..<8]) > 0, isIntact: isIntact)
            frames.append(frame)
        }
        // Frames after the last one of this generation are left from an earlier one.
        return Array(frames.prefix(last))
    }

    /// The number of the first frame that SQLite does not read; nil if it reads all.
    var firstBroken: Int? {
        guard isHeaderIntact else { return frames.isEmpty ? nil : 0 }
        return frames.first { !$0.isIntact }?.number
    }

    /// The number of transactions that end at or after the first frame that SQLite does not read.
    ///
    /// The last one may have been torn by a crash. Frames without a commit frame after them belong to a transaction
    /// that was rolled back.
    var unreadCommits: Int { firstBroken.map { first in frames[first...].count(where: \.isCommit) } ?? 0 }
}

extension WriteAheadLog {
    struct Header {
        var isIntact: Bool
        /// In bytes; nil if SQLite does not support it.
        var pageSize: Int?
        var salt: [UInt8]
        var checksum: LogChecksum

        init(_ bytes: [UInt8]) {
            let magic = bigEndian(bytes[0..<4])
            let none = LogChecksum(isBigEndian: magic & 1 == 1)
            checksum = LogChecksum(stored: bytes[24..<32], like: none)
            isIntact = magic | 1 == 0x377F_0683 && none.adding(bytes[0..<24]) == checksum
            let size = Int(bigEndian(bytes[8..<12]))
            pageSize = (512...65_536).contains(size) && size & (size - 1) == 0 ? size : nil
            salt = Array(bytes[16..<24])
        }
    }
}

/// The running checksum of a write-ahead log.
struct LogChecksum: Equatable {
    private var first: UInt32 = 0
    private var second: UInt32 = 0
    /// The byte order of the words that are summed; not compared.
    private var isBigEndian: Bool

    init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

    /// A checksum as stored in the file, to be compared or continued.
    init(stored bytes: ArraySlice<UInt8>, like other: LogChecksum? = nil) {
        isBigEndian = other?.isBigEndian ?? false
        first = bigEndian(bytes.prefix(4))
        second = bigEndian(bytes.dropFirst(4))
    }

    static func == (a: LogChecksum, b: LogChecksum) -> Bool { a.first == b.first && a.second == b.second }

    /// The checksum after more bytes.
    ///
    /// - Parameter bytes: their number is a multiple of eight.
    func adding(_ bytes: ArraySlice<UInt8>) -> LogChecksum {
        var sum = self
        bytes.withUnsafeBytes { buffer in
            for offset in stride(from: 0, to: buffer.count - 7, by: 8) {
                sum.first = sum.first &+ word(buffer, offset) &+ sum.second
                sum.second = sum.second &+ word(buffer, offset + 4) &+ sum.first
            }
        }
        return sum
    }

    private func word(_ buffer: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        let word = buffer.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        return isBigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word)
    }

    var bytes: [UInt8] { [first, second].flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } } }
}

/// The big-endian integer in four bytes.
func bigEndian(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

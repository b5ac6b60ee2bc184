/// SQLite's write-ahead log as a file: its frames, and which of them are whole.
///
/// https://sqlite.org/fileformat2.html#the_write_ahead_log says what the bytes mean. The checksum of a frame goes on from
/// that of the frame before, so SQLite reads up to the first frame that is not whole and takes the rest for what a crash
/// has left. Whether it is that can be told: a transaction is synced before the next one begins, so a crash tears the last
/// one at most.
struct WriteAheadLog {
    struct Frame {
        /// From 0.
        var number: Int
        var page: UInt32
        /// It ends a transaction.
        var isCommit: Bool
        /// Its checksum goes on from that of the frame before.
        var isWhole: Bool
    }

    let pageSize: Int
    /// The header's own checksum is right.
    let isHeaderWhole: Bool
    /// Those of this generation of the log: with its salt, whole or not, and those that are not whole before them.
    let frames: [Frame]

    static let headerSize = 32
    static let frameHeaderSize = 24

    /// Reads the log of a database; nil if there is none, or nothing in it.
    ///
    /// - Parameter fallbackPageSize: where the header does not say it.
    init?(path: String, fallbackPageSize: Int?) {
        guard let file = FileBytes(path: path), file.count >= Self.headerSize else { return nil }
        let header = Header(file.read(at: 0, count: Self.headerSize))
        isHeaderWhole = header.isWhole
        guard let pageSize = header.isWhole ? header.pageSize : fallbackPageSize ?? header.pageSize else { return nil }
        self.pageSize = pageSize
        frames = Self.frames(of: file, header, pageSize)
    }

    private static func frames(of file: FileBytes, _ header: Header, _ pageSize: Int) -> [Frame] {
        let size = frameHeaderSize + pageSize
        var (frames, sum, salt): ([Frame], LogChecksum, [UInt8]) = ([], header.checksum, header.salt)
        var last = 0
        for number in 0..<((file.count - headerSize) / size) {
            let bytes = file.read(at: headerSize + number * size, count: size)
            guard bytes.count == size else { break }
            // A damaged header's salt may be damaged too; the first frame's will do.
            if number == 0, !header.isWhole { salt = Array(bytes[8..<16]) }
            let isOurs = Array(bytes[8..<16]) == salt
            let stored = LogChecksum(stored: bytes[16..<24])
            let isWhole = isOurs && sum.adding(bytes[0..<8]).adding(bytes[24...]) == stored
            sum = LogChecksum(stored: bytes[16..<24], like: sum)
            if isOurs { last = number + 1 }
            let frame = Frame(
                number: number, page: bigEndian(bytes[0..<4]), isCommit: isOurs && bigEndian(bytes[4..<8]) > 0,
                isWhole: isWhole)
            frames.append(frame)
        }
        // What lies behind the last of them is left from an earlier generation.
        return Array(frames.prefix(last))
    }

    /// The first frame that SQLite does not read; nil if it reads all.
    var firstBroken: Int? {
        guard isHeaderWhole else { return frames.isEmpty ? nil : 0 }
        return frames.first { !$0.isWhole }?.number
    }

    /// Transactions that end at or behind the first frame that SQLite does not read.
    ///
    /// The last one may be what a crash has torn. Frames without an end behind them are of one that was undone.
    var unreadCommits: Int { firstBroken.map { first in frames[first...].count(where: \.isCommit) } ?? 0 }
}

extension WriteAheadLog {
    struct Header {
        var isWhole: Bool
        /// nil if it is none that SQLite knows.
        var pageSize: Int?
        var salt: [UInt8]
        var checksum: LogChecksum

        init(_ bytes: [UInt8]) {
            let magic = bigEndian(bytes[0..<4])
            let none = LogChecksum(isBigEndian: magic & 1 == 1)
            checksum = LogChecksum(stored: bytes[24..<32], like: none)
            isWhole = magic | 1 == 0x377F_0683 && none.adding(bytes[0..<24]) == checksum
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
    /// How the words that are summed are read; not part of what is compared.
    private var isBigEndian: Bool

    init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

    /// As it stands in the file, to be compared or gone on from.
    init(stored bytes: ArraySlice<UInt8>, like other: LogChecksum? = nil) {
        isBigEndian = other?.isBigEndian ?? false
        first = bigEndian(bytes.prefix(4))
        second = bigEndian(bytes.dropFirst(4))
    }

    static func == (a: LogChecksum, b: LogChecksum) -> Bool { a.first == b.first && a.second == b.second }

    /// - Parameter bytes: a multiple of eight.
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

/// The number that four bytes are, the highest first.
func bigEndian(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

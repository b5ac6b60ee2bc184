import Glibc
import Storage

/// Reads a file piece by piece and says how far it is.
final class PieceReader {
    private let path: String
    private let file: UnsafeMutablePointer<FILE>
    private let size: Int
    private var read = 0

    init(path: String) throws {
        guard let file = fopen(path, "re") else {
            throw StorageError.io(path: path, reason: String(cString: strerror(errno)))
        }
        (self.path, self.file) = (path, file)
        fseek(file, 0, SEEK_END)
        size = ftell(file)
        rewind(file)
    }

    deinit { fclose(file) }

    /// The next `length` bytes, fewer at the end; nil after it.
    func next(_ length: Int) throws -> (bytes: [UInt8], done: Double)? {
        var bytes = [UInt8](repeating: 0, count: length)
        let count = fread(&bytes, 1, length, file)
        guard ferror(file) == 0 else { throw StorageError.io(path: path, reason: String(cString: strerror(errno))) }
        guard count > 0 else { return nil }
        read += count
        return (Array(bytes.prefix(count)), size == 0 ? 1 : Double(read) / Double(size))
    }
}

import Glibc
import TimeSeries

/// What is ingested: a file, or standard input.
struct IngestInput {
    /// As it was named.
    let name: String
    let descriptor: Int32
    /// In bytes; nil: it is no file.
    let size: Int?
    /// The same file by any name; nil: it is no file, and nothing can go on with it later.
    let canonicalPath: String?

    var isResumable: Bool { canonicalPath != nil }

    /// - Returns: nil, with the reason in `errno`, if it cannot be read.
    init?(_ name: String) {
        let descriptor = name == "-" ? 0 : open(name, O_RDONLY | O_CLOEXEC)
        var status = stat()
        guard descriptor >= 0, fstat(descriptor, &status) == 0 else { return nil }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            errno = EISDIR
            return nil
        }
        let isFile = status.st_mode & S_IFMT == S_IFREG
        (self.name, self.descriptor) = (name, descriptor)
        size = isFile ? Int(status.st_size) : nil
        let path = isFile && name != "-" ? realpath(name, nil) : nil
        canonicalPath = path.map { String(cString: $0) }
        free(path)
    }

    static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp.from(seconds: Int64(time.tv_sec)).advanced(byNanoseconds: Int64(time.tv_nsec))
    }
}

enum Shell {
    /// A word as a shell reads it back.
    static func quoted(_ word: String) -> String { "'" + word.replacing("'", with: "'\\''") + "'" }
}

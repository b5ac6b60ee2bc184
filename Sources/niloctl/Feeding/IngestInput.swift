import Glibc
import TimeSeries

/// The input of an ingest: a file or standard input.
struct IngestInput {
    /// The name as given by the user.
    let name: String
    let descriptor: Int32
    /// In bytes; nil if it is not a regular file.
    let size: Int?
    /// The same for every name of the file; nil if it is not a regular file, which cannot be resumed.
    let canonicalPath: String?

    var isResumable: Bool { canonicalPath != nil }

    /// Opens the input; nil, with the reason in `errno`, if it cannot be read.
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
    /// Quotes a word for a shell.
    static func quoted(_ word: String) -> String { "'" + word.replacing("'", with: "'\\''") + "'" }
}

/// `TestSupport`: what several test targets share: folders that vanish, a clock turned by hand, the daemon as a child.
public import Foundation
import Synchronization

/// A folder of a test's own, removed when the tests end.
///
/// Not sooner: a value's last use may come before the last use of the files.
public struct TemporaryFolder: Sendable {
    public let url: URL

    private static let made = Mutex<[URL]>([])

    public init() throws {
        // Short, because a socket's path has at most 107 bytes.
        url = URL(filePath: "/tmp").appending(path: "nilo-\(String(UInt64.random(in: 0 ... .max), radix: 36))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        let folder = url
        let isFirst = Self.made.withLock { made in
            made.append(folder)
            return made.count == 1
        }
        if isFirst { atexit { TemporaryFolder.removeAll() } }
    }

    private static func removeAll() {
        for folder in made.withLock({ $0 }) { try? FileManager.default.removeItem(at: folder) }
    }

    public func path(_ name: String) -> String { url.appending(path: name).path }

    /// Writes a small text file and returns its path.
    public func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
        return path(name)
    }
}

/// `TestSupport`: what several test targets share: folders that vanish, a clock turned by hand, the daemon as a child.
public import Foundation

/// A folder of a test's own, removed with the value.
public final class TemporaryFolder: Sendable {
    public let url: URL

    public init() throws {
        // Short, because a socket's path has at most 107 bytes.
        url = URL(filePath: "/tmp").appending(path: "nilo-\(String(UInt64.random(in: 0 ... .max), radix: 36))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    public func path(_ name: String) -> String { url.appending(path: name).path }

    /// Writes a small text file and returns its path.
    public func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: path(name), atomically: true, encoding: .utf8)
        return path(name)
    }
}

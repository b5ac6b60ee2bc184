import Foundation
import Listening
import TestSupport
import Testing

@Suite("Socket files")
struct SocketFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Leaves a socket behind as a killed process does.
    private func leaveDead(_ path: String, _ kind: SocketFile.Kind) throws -> UInt {
        let file = try SocketFile(path: path, kind)
        close(file.descriptor)
        return try inode(path)
    }

    private func inode(_ path: String) throws -> UInt {
        let number = try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? NSNumber
        return try #require(number).uintValue
    }

    @Test("a socket that somebody listens on is left to him", arguments: [SocketFile.Kind.stream, .datagram])
    func inUse(_ kind: SocketFile.Kind) throws {
        let path = folder.path("socket")
        let file = try SocketFile(path: path, kind)
        let before = try inode(path)
        for other in [SocketFile.Kind.stream, .datagram] {
            #expect(throws: SocketFileError.inUse(path)) { try SocketFile(path: path, other) }
        }
        #expect(try inode(path) == before)
        close(file.descriptor)
    }

    @Test("a listener that has no time to accept is alive")
    func fullQueue() throws {
        let path = folder.path("socket")
        let file = try SocketFile(path: path, .stream)
        defer { close(file.descriptor) }
        // As many as wait, unaccepted, until the kernel takes no more.
        var waiting: [Int32] = []
        defer { for descriptor in waiting { close(descriptor) } }
        while waiting.count < 10_000, let descriptor = Self.connected(to: path) { waiting.append(descriptor) }
        #expect(throws: SocketFileError.inUse(path)) { try SocketFile(path: path, .stream) }
    }

    private static func connected(to path: String) -> Int32? {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if code == 0 { return descriptor }
        close(descriptor)
        return nil
    }

    @Test("a socket that a dead process left is replaced", arguments: [SocketFile.Kind.stream, .datagram])
    func replaced(_ kind: SocketFile.Kind) throws {
        let path = folder.path("socket")
        let before = try leaveDead(path, kind)
        let file = try SocketFile(path: path, kind)
        defer { close(file.descriptor) }
        #expect(try inode(path) != before)
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o660)
    }

    @Test("only the file that was made here is removed")
    func removed() throws {
        let path = folder.path("socket")
        let first = try SocketFile(path: path, .stream)
        close(first.descriptor)
        let second = try SocketFile(path: path, .stream)
        defer { close(second.descriptor) }
        first.remove()
        #expect(FileManager.default.fileExists(atPath: path))
        second.remove()
        #expect(!FileManager.default.fileExists(atPath: path))
        _ = try folder.write("another's", to: "socket")
        second.remove()
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test("what is no socket is not replaced")
    func notASocket() throws {
        let path = try folder.write("a file", to: "socket")
        #expect(throws: SocketFileError.notASocket(path)) { try SocketFile(path: path, .stream) }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "a file")
    }

    @Test("a path that no socket can have is refused with its length and the limit")
    func path() throws {
        let long = "/tmp/" + String(repeating: "x", count: 103)
        let error = #expect(throws: SocketFileError.self) { try SocketFile.check(path: long) }
        #expect(
            error?.description
                == "expected a path of at most 107 bytes for a socket, and \(long) has 108: choose a shorter one")
        try SocketFile.check(path: String(long.dropLast()))
        for path in ["", "a\0b"] {
            #expect(throws: SocketFileError.notAPath(path)) { try SocketFile.check(path: path) }
        }
    }
}

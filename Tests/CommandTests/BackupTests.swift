import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The file of a backup")
struct BackupTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path("out")).sorted() }
    }

    /// A socket that listens and never answers.
    private func listen() throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: folder.path("silent").utf8) }
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard isBound == 0, Glibc.listen(descriptor, 1) == 0 else { throw TestError("cannot listen") }
        return descriptor
    }

    @Test("niloctl that is killed in the middle leaves no file")
    func killed() throws {
        try FileManager.default.createDirectory(atPath: folder.path("out"), withIntermediateDirectories: true)
        // open(2): O_TMPFILE.
        let nameless = open(folder.path("out"), O_WRONLY | 0o20_000_000 | O_DIRECTORY, 0o600)
        guard nameless >= 0 else { return skip("this file system knows no files without a name") }
        close(nameless)
        let listener = try listen()
        defer { close(listener) }
        let child = try ChildProcess("niloctl", ["--socket", folder.path("silent"), "backup", folder.path("out/b.db")])
        let connection = accept(listener, nil, nil)
        defer { close(connection) }
        // It asks when its file is open.
        var byte: UInt8 = 0
        #expect(read(connection, &byte, 1) == 1)
        child.stop()
        #expect(try files == [])
    }

    @Test("it replaces a file only with --force, touches nothing beside it, and shows it to owner and group")
    func replaced() throws {
        try FileManager.default.createDirectory(atPath: folder.path("out"), withIntermediateDirectories: true)
        let daemon = try Daemon(in: folder, smooth)
        for name in ["b.db", "b.db.part"] { _ = try folder.write("precious", to: "out/\(name)") }
        #expect(symlink(folder.path("out/nowhere"), folder.path("out/link")) == 0)
        #expect(try Niloctl(daemon.socket, "backup", folder.path("out/b.db")).code == 73)
        #expect(try Niloctl(daemon.socket, "backup", folder.path("out/link")).code == 73)
        #expect(try Niloctl(daemon.socket, "backup", "--force", folder.path("out/b.db")).code == 0)
        #expect(try files == ["b.db", "b.db.part", "link"])
        #expect(try String(contentsOfFile: folder.path("out/b.db.part"), encoding: .utf8) == "precious")
        var status = stat()
        #expect(stat(folder.path("out/b.db"), &status) == 0 && status.st_size > 8 && status.st_mode & 0o027 == 0)
        #expect(daemon.stop() == 0)
    }
}

import Foundation
import Glibc
import Storage
import TestSupport
import Testing

@Suite("Opening a database, and losing it")
struct OpeningTests {
    private let folder: TemporaryFolder
    private var path: String { folder.path("nilo.db") }

    init() throws { folder = try TemporaryFolder() }

    private func size(_ name: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: folder.path(name))[.size] as? Int ?? -1
    }

    @Test("opening what a killed daemon left writes nothing: a full disk has no room for it")
    func writesNothing() throws {
        let store = try Store(path: path)
        let a = try newSeries(store, "a")
        _ = try store.write { try $0.appendJournal([reading(a, 1, 1)]) }
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: path + suffix, toPath: folder.path("copy.db") + suffix)
        }
        try store.close()
        let before = (try size("copy.db"), try size("copy.db-wal"))
        let copy = try Store(path: folder.path("copy.db"))
        #expect(try (size("copy.db"), size("copy.db-wal")) == before)
        #expect(before.1 > 0 && copy.journalReadings == 1)
        try copy.close()
    }

    @Test("a lock file that is a link, or has another name, is refused, and what it leads to stays as it is")
    func lock() throws {
        let victim = try folder.write("precious", to: "victim")
        for link in [symlink, Glibc.link] {
            #expect(link(victim, path + ".lock") == 0)
            let refused = #expect(throws: StorageError.self) { try Store(path: path) }
            #expect(refused.map { "\($0)".contains("nilo.db.lock") && "\($0)".contains("remove it") } == true)
            #expect(try String(contentsOfFile: victim, encoding: .utf8) == "precious")
            unlink(path + ".lock")
        }
    }

    @Test("nothing is acknowledged once the database or its log was removed or replaced", arguments: ["", "-wal"])
    func moved(_ suffix: String) throws {
        for isReplaced in [false, true] {
            let store = try Store(path: path)
            let a = try newSeries(store, "a\(isReplaced)")
            try store.checkFiles()
            #expect(rename(path + suffix, folder.path("aside")) == 0)
            if isReplaced { _ = try folder.write("another", to: "nilo.db" + suffix) }
            #expect(throws: StorageError.moved(path: path + suffix)) { try store.checkFiles() }
            #expect(throws: StorageError.moved(path: path + suffix)) {
                try store.write { try $0.appendJournal([reading(a, 1, 1)]) }
            }
            #expect(rename(folder.path("aside"), path + suffix) == 0)
            try store.checkFiles()
            try store.close()
            #expect(throws: StorageError.closed) { try store.checkFiles() }
        }
    }

    @Test("a database behind a link is opened, with its log beside what the link points at")
    func link() throws {
        try FileManager.default.createDirectory(atPath: folder.path("disk"), withIntermediateDirectories: true)
        #expect(symlink(folder.path("disk/there.db"), path) == 0)
        let store = try Store(path: path)
        _ = try newSeries(store, "a")
        try store.checkFiles()
        try store.close()
    }

    @Test("a backup that cannot be written is an error of ours, with its path")
    func backup() throws {
        let store = try Store(path: path)
        let refused = #expect(throws: StorageError.self) { try store.backup(to: "/nowhere/at/all") { _ in } }
        #expect(refused.map { "\($0)".contains("/nowhere/at/all") } == true)
        try store.close()
    }
}

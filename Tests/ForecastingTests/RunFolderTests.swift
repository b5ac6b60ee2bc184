import Forecasting
import Foundation
import TestSupport
import Testing

@Suite("Run folders")
struct RunFolderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: folder.path(name)) }

    private func make(_ files: String...) throws {
        for file in files {
            let parent = folder.url.appending(path: file).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            _ = try folder.write("precious", to: file)
        }
    }

    @Test("each run has a folder of its own number, and what is there already is nobody's run")
    func numbers() throws {
        try make("training/1/precious", "training/2")
        let runs = try RunFolders(folder.url.appending(path: "training"))
        let (first, second) = (try runs.make(), try runs.make())
        #expect([first, second].map(\.url.lastPathComponent) == ["3", "4"])
        runs.remove(second)
        #expect(exists("training/3") && !exists("training/4") && exists("training/1/precious"))
    }

    @Test("a run is removed with what it made; what is not ours stays, and behind a link nothing is touched")
    func removal() throws {
        let runs = try RunFolders(folder.url.appending(path: "training"))
        let run = try runs.make()
        try make("training/1/weights", "training/1/v12", "training/1/plugins/odd-ab12.weights", "elsewhere/weights")
        try make("training/1/plugins/run-1/panel.npy", "training/1/.part-77")
        for link in ["training/1/result.json", "training/1/plugins/run-2"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path(link), withDestinationPath: folder.path("elsewhere"))
        }
        try make("training/1/notes.txt")
        runs.remove(run)
        let left = try FileManager.default.subpathsOfDirectory(atPath: folder.path("training")).sorted()
        #expect(left == ["1", "1/notes.txt", "1/plugins", "1/plugins/run-2", "1/result.json"])
        #expect(exists("elsewhere/weights"))
    }

    @Test("what a killed daemon left is removed and named; folders of other names and links are not entered")
    func leftovers() throws {
        let runs = try RunFolders(folder.url.appending(path: "training"))
        try make("training/1/order.json", "training/house/weights", "training/.secret/weights", "elsewhere/weights")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("training/2"), withDestinationPath: folder.path("elsewhere"))
        let found = runs.removeAll()
        #expect(found.removed.map { ($0 as NSString).lastPathComponent } == ["1", "house"])
        #expect(found.stays.isEmpty)
        #expect(exists("training/.secret/weights") && exists("elsewhere/weights"))
    }

    @Test("a link where the folder of runs should be is refused")
    func link() throws {
        try make("elsewhere/weights")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("training"), withDestinationPath: folder.path("elsewhere"))
        #expect(throws: ForecastingError.self) { try RunFolders(folder.url.appending(path: "training")) }
    }

    @Test("a name that leads out of a folder is refused, and so is a link in a file's place")
    func names() throws {
        try make("secret", "run/plain")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path("run/link"), withDestinationPath: folder.path("secret"))
        let run = try RunFolder(folder.url.appending(path: "run"))
        #expect(try run.readWeights("plain") == Array("precious".utf8))
        for name in ["", ".", "..", "../secret", "/etc/passwd", "link", "a\0b"] {
            #expect(throws: ForecastingError.self) { try run.readWeights(name) }
        }
    }
}

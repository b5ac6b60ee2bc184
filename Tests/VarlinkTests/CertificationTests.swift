import Foundation
import TestSupport
import Testing

/// What a command printed, and how it ended.
struct Finished: Sendable {
    var status: Int32
    var output: String

    static func run(_ command: String, _ arguments: [String]) async throws -> Finished {
        try await blocking {
            let process = Process()
            process.executableURL = URL(filePath: command)
            process.arguments = arguments
            let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
            try Data().write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            let output = try FileHandle(forWritingTo: file)
            (process.standardOutput, process.standardError) = (output, output)
            process.standardInput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return Finished(
                status: process.terminationStatus, output: try String(contentsOf: file, encoding: .utf8))
        }
    }
}

/// Where the build puts executables: beside the tests' own.
let executables = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()

@Suite struct CertificationTests {
    @Test("Varlink's Python library certifies our service and our client", .timeLimit(.minutes(10)))
    func certification() async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "scripts/certify.sh")
        let result = try await Finished.run(
            script.path, [executables.appending(path: "CertificationPeer").path])
        print(result.output, terminator: "")
        if result.status == 77 { return skip("the certification's Python library is not there") }
        #expect(result.status == 0, "\(result.output)")
        #expect(result.output.components(separatedBy: "passed: ").count == 3)
    }
}

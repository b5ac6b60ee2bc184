import Foundation

/// A child process that is read line by line.
final class RunningProgram {
    struct Unexpected: Error, CustomStringConvertible { let description: String }

    private let process = Process()
    private var lines: AsyncStream<String>.Iterator
    private(set) var output: [String] = []

    /// Its standard output and error are read together.
    init(_ program: String, _ arguments: [String]) throws {
        let pipe = Pipe()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        lines = stream.makeAsyncIterator()
        try process.run()
        let handle = pipe.fileHandleForReading
        // A thread of its own, because reading blocks.
        Thread.detachNewThread {
            var rest = Data()
            while case let data = handle.availableData, !data.isEmpty {
                rest += data
                while let end = rest.firstIndex(of: 0x0A) {
                    continuation.yield(String(decoding: rest[..<end], as: UTF8.self))
                    rest = Data(rest[rest.index(after: end)...])
                }
            }
            continuation.finish()
        }
    }

    func stop() {
        // Not SIGTERM: some programs take their time.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// The next line with `text` in it.
    func line(with text: String) async throws -> String {
        while let line = await lines.next() {
            output.append(line)
            if line.contains(text) { return line }
        }
        throw Unexpected(description: "expected \"\(text)\", not\n\(output.joined(separator: "\n"))")
    }

    /// The number behind the last colon of the line with `text`.
    func port(after text: String) async throws -> Int {
        let line = try await line(with: text)
        guard let port = line.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw Unexpected(description: "expected a port at the end of \"\(line)\"")
        }
        return port
    }
}

/// A real daemon with one source, in a folder of its own.
struct RunningDaemon {
    static let program = OutsideSoftware.root.appending(path: ".build/release/nilod").path
    static var isBuilt: Bool { FileManager.default.isExecutableFile(atPath: program) }

    let folder: TemporaryFolder
    let nilod: RunningProgram

    /// - Parameter sources: `[[source]]` tables.
    init(_ sources: String) throws {
        folder = try TemporaryFolder()
        let configuration = folder.path + "/nilod.toml"
        try sources.write(toFile: configuration, atomically: true, encoding: .utf8)
        nilod = try RunningProgram(
            Self.program,
            [
                "run", "--config", configuration, "--state-dir", folder.path + "/state", "--socket",
                folder.path + "/nilod.sock",
            ])
    }
}

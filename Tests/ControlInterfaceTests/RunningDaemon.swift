import Foundation
import Synchronization

/// Where the build puts executables: beside the tests' own.
let executables = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()

/// A child process of a test, which reads what it says on standard error. Blocks.
final class Child {
    private let process = Process()
    private let pipe = Pipe()
    private let said = Mutex("")

    /// - Parameter limit: the descriptors it may have open, as `ulimit -n` takes it; nil for those of the test.
    init(_ executable: URL, _ arguments: [String], descriptors limit: Int? = nil) throws {
        process.executableURL = URL(filePath: "/bin/sh")
        let command = limit.map { "ulimit -n \($0); " } ?? ""
        process.arguments = ["-c", command + "exec \"$0\" \"$@\"", executable.path] + arguments
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Reads until `text` was said; false if the process ended before.
    func says(_ text: String) -> Bool {
        while !said.withLock({ $0.contains(text) }) {
            let data = pipe.fileHandleForReading.availableData
            guard !data.isEmpty else { return false }
            said.withLock { $0 += String(decoding: data, as: UTF8.self) }
        }
        return true
    }

    /// Seconds of CPU time it has used, proc_pid_stat(5).
    var cpuSeconds: Double {
        let line = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)) ?? ""
        let fields = line.split(separator: " ").dropFirst(13).prefix(2).compactMap { Double($0) }
        return fields.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}

/// A nilod of the build with a folder of its own. Blocks.
final class RunningDaemon {
    let folder: URL
    let child: Child
    var socket: String { folder.appending(path: "nilod.sock").path }

    init(configuration: String = "", descriptors: Int? = nil) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "nilod-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try configuration.write(to: folder.appending(path: "nilod.toml"), atomically: true, encoding: .utf8)
        child = try Child(
            executables.appending(path: "nilod"),
            [
                "run", "--config", folder.appending(path: "nilod.toml").path, "--state-dir",
                folder.appending(path: "state").path, "--socket", folder.appending(path: "nilod.sock").path,
            ], descriptors: descriptors)
        guard child.says("ready:") else { throw POSIXError(.ECHILD) }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }
}

/// Runs `body`, which blocks, on a thread that Swift's concurrency does not need.
func blocking<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}

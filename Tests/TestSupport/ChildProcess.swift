import Foundation
import Glibc
import Synchronization

/// One of the package's programs as a child whose standard error is kept, and that can really be killed.
///
/// Standard output and error are read by threads of their own, so that the child never waits for the test.
public final class ChildProcess: Sendable {
    public let pid: Int32
    private let status = Mutex<Int32?>(nil)
    private let output: DrainedPipe
    private let errors: DrainedPipe

    /// One at a time, because a pipe made while another child is started would be inherited by it.
    private static let starting = Mutex(())
    /// The folder that holds `nilod`, `niloctl` and this test bundle.
    private static let products = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()

    /// Starts a program of the package, or any whose path is given.
    ///
    /// - Parameters:
    ///   - environment: added to the test's own.
    ///   - input: the file on its standard input.
    ///   - descriptors: how many it may have open; nil: as many as the test.
    public init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil,
        descriptors: Int? = nil
    ) throws {
        let merged = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var command = [Self.path(of: program)] + arguments
        if let descriptors { command = ["/bin/sh", "-c", "ulimit -n \(descriptors); exec \"$0\" \"$@\""] + command }
        (pid, output, errors) = try Self.starting.withLock { [command] _ in
            try Self.start(command, merged, input ?? "/dev/null")
        }
    }

    private static func start(
        _ command: [String], _ environment: [String: String], _ input: String
    ) throws -> (pid_t, DrainedPipe, DrainedPipe) {
        let path = command[0]
        let (output, errors) = (try DrainedPipe(), try DrainedPipe())
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output.writeEnd, 1)
        posix_spawn_file_actions_adddup2(&actions, errors.writeEnd, 2)
        // Nothing else of the test's own stays open in the child: some count their descriptors.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
        // Threads of Dispatch block every signal, and a child inherits that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var argv = command.map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var child = pid_t()
        let code = posix_spawn(&child, path, &actions, &attributes, &argv, &envp)
        output.closeWriteEnd()
        errors.closeWriteEnd()
        guard code == 0 else { throw TestError("cannot start \(path): \(String(cString: strerror(code)))") }
        return (child, output, errors)
    }

    deinit {
        if status.withLock({ $0 }) == nil {
            kill()
            _ = wait()
        }
    }

    /// Where the build has put a program of the package; another's path as it is.
    public static func path(of name: String) -> String {
        name.contains("/") ? name : products.appending(path: name).path
    }

    /// Ends it as a power cut would: it gets no say.
    public func kill() { Glibc.kill(pid, SIGKILL) }

    public func signal(_ number: Int32) { Glibc.kill(pid, number) }

    /// Waits for the end.
    ///
    /// - Returns: the exit code, or 128 plus the signal that ended it.
    @discardableResult
    public func wait() -> Int32 {
        status.withLock { status in
            if let status { return status }
            var raw: Int32 = 0
            while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
            let ended = Self.code(raw)
            status = ended
            return ended
        }
    }

    /// Whether it is gone; does not wait.
    public var hasEnded: Bool {
        status.withLock { status in
            if status != nil { return true }
            var raw: Int32 = 0
            guard waitpid(pid, &raw, WNOHANG) == pid else { return false }
            status = Self.code(raw)
            return true
        }
    }

    /// Whether it is gone before `limit` has passed.
    public func ends(within limit: Duration) -> Bool {
        let end = ContinuousClock.now + limit
        while !hasEnded {
            guard ContinuousClock.now < end else { return false }
            // Only bounds how late an end is noticed.
            _ = poll(nil, 0, 20)
        }
        return true
    }

    private static func code(_ raw: Int32) -> Int32 {
        raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
    }

    /// Ends it and waits until it is gone.
    public func stop() {
        kill()
        wait()
    }

    /// Waits until it has said `text` on standard error; false if it ended before.
    public func says(_ text: String) -> Bool { errors.lines(with: text, count: 1) != nil }

    /// Waits for the first `count` lines with `text` on standard error.
    public func lines(with text: String, count: Int = 1) throws -> [String] {
        guard let lines = errors.lines(with: text, count: count) else {
            throw TestError("expected \(count) times \"\(text)\", not\n\(standardError)")
        }
        return lines
    }

    /// Seconds of CPU time it has used, proc_pid_stat(5).
    public var cpuSeconds: Double {
        let line = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        let fields = line.split(separator: " ").dropFirst(13).prefix(2).compactMap { Double($0) }
        return fields.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// All it said on standard output, once it has ended or closed it.
    public var standardOutput: String { output.text }
    /// All it said on standard error, likewise.
    public var standardError: String { errors.text }
}

extension ChildProcess {
    /// Runs a program to its end.
    ///
    /// - Returns: its exit code, and what it said on standard output, then on standard error.
    public static func run(_ program: String, _ arguments: [String]) throws -> (code: Int32, output: String) {
        let child = try ChildProcess(program, arguments)
        let code = child.wait()
        return (code, child.standardOutput + child.standardError)
    }
}

/// Runs `body`, which blocks, on a thread that Swift's concurrency does not need.
public func blocking<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}

/// What went wrong with a test's surroundings.
public struct TestError: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

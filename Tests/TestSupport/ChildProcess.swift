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

    /// Starts a program of the package.
    ///
    /// - Parameter environment: added to the test's own.
    public init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: String? = nil
    ) throws {
        let merged = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        (pid, output, errors) = try Self.starting.withLock { _ in
            try Self.start(Self.executable(program), arguments, merged, input ?? "/dev/null")
        }
    }

    private static func start(
        _ path: String, _ arguments: [String], _ environment: [String: String], _ input: String
    ) throws -> (pid_t, DrainedPipe, DrainedPipe) {
        let (output, errors) = (try DrainedPipe(), try DrainedPipe())
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output.writeEnd, 1)
        posix_spawn_file_actions_adddup2(&actions, errors.writeEnd, 2)
        // Threads of Dispatch block every signal, and a child inherits that.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var argv = ([path] + arguments).map { strdup($0) } + [nil]
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

    private static func executable(_ name: String) -> String {
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

    private static func code(_ raw: Int32) -> Int32 {
        raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
    }

    /// All it said on standard output, once it has ended or closed it.
    public var standardOutput: String { output.text }
    /// All it said on standard error, likewise.
    public var standardError: String { errors.text }
}

/// What went wrong with a test's surroundings.
public struct TestError: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

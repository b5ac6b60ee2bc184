import Basics
internal import CLauncher
import Dispatch
import Glibc

/// A command that runs under `nilod launch`, with its standard error read into a log. Safe to use from any thread.
///
/// It never outlives the daemon, however either ends.
public final class LaunchedChild: Sendable {
    /// The launcher's process.
    public let pid: Int32
    private let status = Locked<Int32?>(nil)
    private let ending = DispatchGroup()

    /// - Parameters:
    ///   - input: becomes the command's descriptor 3 if it is a socket, else its standard input. Still owned by the
    ///     caller.
    ///   - output: becomes its standard output; nil for the log. Still owned by the caller.
    ///   - line: called with each line of its standard error, on a queue of its own.
    ///   - ended: called once when the command and all its descendants are gone.
    /// - Throws: ``PluginHostError/cannotStart(command:reason:)``.
    public init(
        _ command: ChildCommand, input: Int32, output: Int32? = nil, line: @escaping @Sendable (String) -> Void,
        ended: @escaping @Sendable (ExitStatus) -> Void = { _ in }
    ) throws {
        let log = try Pipe()
        do {
            pid = try Self.spawn(command, input: input, output: output ?? log.writeEnd, errors: log.writeEnd)
        } catch {
            close(log.readEnd)
            close(log.writeEnd)
            throw error
        }
        close(log.writeEnd)
        ending.enter()
        // The pipe is closed by its last writer, which is the launcher.
        ChildLog.follow(log.readEnd, line: line) { [self] in ended(reap()) }
    }

    private static func spawn(_ command: ChildCommand, input: Int32, output: Int32, errors: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Dispatch threads block every signal and the daemon ignores some, so both are reset. The process group is its
        // own because a terminal's Ctrl-C is for the daemon.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var arguments = command.arguments.map { strdup($0) } + [nil]
        defer { for text in arguments { free(text) } }
        var child = pid_t()
        let code = posix_spawn(&child, command.launcher, &actions, &attributes, &arguments, environ)
        guard code == 0 else {
            throw PluginHostError.cannotStart(command: command.launcher, reason: String(cString: strerror(code)))
        }
        return child
    }

    private func reap() -> ExitStatus {
        let code = status.withLock { status -> Int32 in
            var raw: Int32 = 0
            while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
            let code = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
            status = code
            return code
        }
        ending.leave()
        return ExitStatus(code: code)
    }

    /// Tells the launcher to kill the command and all its descendants.
    public func end() {
        // The id of a reaped process may be in use again.
        status.withLock { if $0 == nil { kill(pid, SIGTERM) } }
    }

    /// nil while it runs.
    var exitStatus: ExitStatus? { status.withLock { $0 }.map { ExitStatus(code: $0) } }

    /// Waits for the command and all its descendants to end; returns whether they did within `limit`.
    @discardableResult
    func waitUntilOver(within limit: DispatchTimeInterval) -> Bool {
        ending.wait(timeout: .now() + limit) == .success
    }
}

/// How a command ended.
public struct ExitStatus: Sendable, Hashable, CustomStringConvertible {
    /// The exit code, or 128 plus the signal that ended it.
    public var code: Int32

    public var isSuccess: Bool { code == 0 }
    /// Whether it was ended by the launcher, not by itself.
    public var isStopped: Bool { code == 128 + SIGTERM }
    public var description: String { code > 128 ? "signal \(code - 128)" : "exit code \(code)" }
}

/// A pipe that no child inherits.
struct Pipe {
    let readEnd: Int32
    let writeEnd: Int32

    init() throws {
        var ends: [Int32] = [0, 0]
        guard launcher_pipe(&ends) == 0 else {
            throw PluginHostError.cannotStart(command: "a pipe", reason: String(cString: strerror(errno)))
        }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }
}

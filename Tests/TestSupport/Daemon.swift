import ControlInterface
import Foundation
import Glibc
public import Varlink

/// A real `nilod` on a folder of its own. Starting returns when it is ready, which it says as systemd would hear it.
public final class Daemon {
    public let process: ChildProcess
    public let socket: String
    private let connection: VarlinkClient

    /// - Parameters:
    ///   - folder: holds the configuration, the state and the socket.
    ///   - configuration: the text of `nilod.toml`.
    ///   - prefix: the words of a command that becomes the daemon, such as a shell that sets a limit.
    public init(
        in folder: TemporaryFolder, _ configuration: String, environment: [String: String] = [:],
        descriptors: Int? = nil, prefix: [String] = []
    ) throws {
        let file = try folder.write(configuration, to: "nilod.toml")
        let notifications = try NotificationSocket(path: folder.path("notify"))
        socket = folder.path("s")
        let command = prefix + [ChildProcess.path(of: "nilod")]
        process = try ChildProcess(
            command[0],
            command.dropFirst() + ["--config", file, "--state-dir", folder.path("state"), "--socket", socket],
            environment: environment.merging(["NOTIFY_SOCKET": notifications.path]) { $1 }, descriptors: descriptors)
        guard notifications.waitForReady(of: process) else {
            process.kill()
            throw TestError("nilod did not start (\(process.wait())): \(process.standardError)")
        }
        connection = try VarlinkClient(path: socket)
    }

    /// One call of `org.nilometer.Control`; an answer that takes a minute and a half will not come.
    public func call<Reply: Decodable>(
        _ method: String, _ parameters: some Encodable = [String: String](), as type: Reply.Type = Reply.self
    ) throws -> Reply {
        connection.deadline = .now + .seconds(90)
        return try connection.call(Control.qualified(method), parameters, as: type)
    }

    /// A connection of its own.
    public func connect() throws -> VarlinkClient { try VarlinkClient(path: socket) }

    /// Kills it and waits until it is gone.
    public func kill() {
        process.kill()
        process.wait()
    }

    /// Asks it to stop, and kills it if it does not.
    ///
    /// - Returns: its exit code, or 128 plus the signal that ended it.
    public func stop(within limit: Duration = .seconds(90)) -> Int32 {
        process.signal(SIGTERM)
        if !process.ends(within: limit) { process.kill() }
        return process.wait()
    }
}

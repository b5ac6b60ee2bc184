import Glibc

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A real `nilod` in a process of its own, and a connection to its control socket.
final class RealDaemon {
    enum Failed: Error, CustomStringConvertible {
        /// The daemon has died, or never came up.
        case gone(String)
        /// It answered with an error.
        case refused(String)

        var description: String {
            switch self {
            case .gone(let reason): reason
            case .refused(let error): error
            }
        }
    }

    private struct Call<Parameters: Encodable>: Encodable {
        var method: String
        var parameters: Parameters
        var more: Bool
    }

    private struct Envelope: Decodable {
        var error: String?
        var continues: Bool?
    }

    private struct Reply<Content: Decodable>: Decodable { var parameters: Content? }

    private let pid: pid_t
    private let connection: Int32
    private var received: [UInt8] = []

    /// Starts a daemon and waits until it answers.
    init(program: String, folder: String) throws {
        let socket = "\(folder)/s"
        unlink(socket)
        let arguments = [
            "run", "--config", "\(folder)/nilod.toml", "--state-dir", "\(folder)/state", "--socket", socket,
        ]
        pid = try Self.spawn(program, arguments, log: "\(folder)/log")
        for _ in 0..<3_000 {
            if let connected = Self.connect(socket) {
                connection = connected
                return
            }
            var status: Int32 = 0
            guard waitpid(pid, &status, WNOHANG) == 0 else {
                throw Failed.gone("nilod ended with \(status); see its log")
            }
            // A real process: nothing tells when it listens.
            usleep(10_000)
        }
        throw Failed.gone("nilod does not answer")
    }

    deinit { close(connection) }

    private static func spawn(_ program: String, _ arguments: [String], log: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor: Int32 in [1, 2] {
            posix_spawn_file_actions_addopen(&actions, descriptor, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        }
        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for text in argv { free(text) } }
        var pid: pid_t = 0
        guard posix_spawn(&pid, program, &actions, nil, &argv, environ) == 0 else {
            throw Failed.gone("\(program) cannot be started")
        }
        return pid
    }

    private static func connect(_ path: String) -> Int32? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, length) }
        }
        guard code == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    /// kill -9
    func kill() { end(SIGKILL) }

    /// SIGTERM, and waits for its end.
    func stop() { end(SIGTERM) }

    private func end(_ signal: Int32) {
        Glibc.kill(pid, signal)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }

    /// Calls a method of the control interface and returns its last reply.
    func call<Parameters: Encodable, Content: Decodable>(
        _ method: String, _ parameters: Parameters, more: Bool = false, _ each: (Content) -> Void
    ) throws {
        try send(method, parameters, more: more)
        while true {
            let bytes = Data(try receive())
            let envelope = try JSONDecoder().decode(Envelope.self, from: bytes)
            if let error = envelope.error { throw Failed.refused(error) }
            if let content = try JSONDecoder().decode(Reply<Content>.self, from: bytes).parameters { each(content) }
            if envelope.continues != true { return }
        }
    }

    /// Sends a call without waiting for its reply.
    func send(_ method: String, _ parameters: some Encodable, more: Bool = false) throws {
        let call = Call(method: "org.nilometer.Control.\(method)", parameters: parameters, more: more)
        let bytes = [UInt8](try JSONEncoder().encode(call)) + [0]
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failed.gone("the connection is closed") }
            sent += count
        }
    }

    private func receive() throws -> [UInt8] {
        while true {
            if let end = received.firstIndex(of: 0) {
                defer { received.removeFirst(end + 1) }
                return Array(received[..<end])
            }
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { throw Failed.gone("the connection is closed") }
            received += buffer[..<count]
        }
    }
}

import ArgumentParser
import ControlInterface
import Glibc
import Varlink

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The options of every verb.
struct CommonOptions: ParsableArguments {
    @Option(help: "The daemon's control socket (or NILOMETER_SOCKET).") var socket: String?
    @Flag(help: "Print the daemon's replies as JSON.") var json = false
    @Flag(help: "Use no colours (or NO_COLOR).") var noColor = false

    func validate() throws {
        if socket == "" { throw ValidationError("--socket expects a path, not nothing") }
    }

    /// Whether an argument is one of these options, which may also precede the verb.
    static func isOne(_ argument: String) -> Bool {
        ["--json", "--no-color", "--socket"].contains(argument) || argument.hasPrefix("--socket=")
    }

    /// Whether to use colours.
    var isColoured: Bool { !noColor && !json && Terminal.supportsColours }

    /// Runs `body` with a connection; every failure becomes a message and an exit code of sysexits.h.
    func connected(_ body: (VarlinkClient) throws -> Void) throws {
        let path = path
        do {
            try body(VarlinkClient(path: path))
        } catch let error as VarlinkError {
            throw Exit.say(Self.words(of: error), Self.code(of: error))
        } catch let error as ConnectionError {
            throw Exit.say("\(error)\n\(Self.advice(for: error, path))", 69)
        } catch let error as DecodingError {
            throw Exit.say("the daemon gave an unexpected reply (\(error)); do both have the same version?", 76)
        }
    }

    /// The path of the socket to connect to.
    var path: String { socket ?? Self.defaultSocket }

    static func advice(for error: ConnectionError, _ path: String) -> String {
        if case .notReachable = error, access(path, F_OK) == 0, access(path, R_OK | W_OK) != 0 {
            return
                "You may not open this socket: become a member of its group (`ls -l \(path)` shows it), then log in again."
        }
        return "Is nilod running? Start it with `make run` or `systemctl start nilod`."
    }

    private static func words(of error: VarlinkError) -> String {
        if let text = error.text("text") { return text }
        guard let parameter = error.text("parameter") else { return "\(error)" }
        return "nilod does not accept this \(parameter); do both have the same version? (`niloctl version`)"
    }

    private static func code(of error: VarlinkError) -> Int32 {
        switch error.name {
        case Control.qualified("NotPermitted"): 77
        case Control.qualified("Busy"): 75
        case let name where name.hasPrefix("org.varlink.service."): 76
        default: 65
        }
    }

    static var defaultSocket: String {
        if let path = environment("NILOMETER_SOCKET") { return path }
        let user = environment("XDG_RUNTIME_DIR").map { $0 + "/nilometer/nilod.sock" }
        let known = [Control.defaultSocket, user].compactMap { $0 }.first { access($0, F_OK) == 0 }
        return known ?? (isOwn(fallback) ? fallback : Control.defaultSocket)
    }

    /// Where a daemon without root and without `XDG_RUNTIME_DIR` listens.
    private static let fallback = "/tmp/nilometer/nilod.sock"

    /// Anybody may make files in /tmp: only a socket of this user is one to talk to.
    private static func isOwn(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_uid == getuid()
    }

    /// Prints a reply as JSON if the user asked for it, else as text made by `table`.
    func show<Reply: Codable>(_ reply: Reply, _ table: (Reply) throws -> String) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            Output.print(String(decoding: try encoder.encode(reply), as: UTF8.self) + "\n")
        } else {
            Output.print(try table(reply))
        }
    }
}

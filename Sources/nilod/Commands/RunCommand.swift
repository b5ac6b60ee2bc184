import ArgumentParser
import CMemory
import Glibc
import Listening
import Logging

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run in the foreground until SIGTERM or SIGINT.")

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        configure_allocator()
        try Self.checkDescriptors()
        do {
            let settings = try options.load()
            let log = Logger(label: "nilod") { _ in StandardErrorHandler(logLevel: settings.logLevel) }
            try await Daemon(settings: settings, options: options, log: log).run()
        } catch let error as SettingsError {
            throw Exit.say("\(error)", Int32(78))
        } catch {
            throw Exit.forStart(error)
        }
    }

    /// With fewer, event loops and the database fail in places where nothing can be said any more.
    private static let fewestDescriptors: rlim_t = 40

    private static func checkDescriptors() throws {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        if limit.rlim_cur < fewestDescriptors, limit.rlim_max > limit.rlim_cur {
            limit.rlim_cur = min(limit.rlim_max, fewestDescriptors)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        guard limit.rlim_cur < fewestDescriptors else { return }
        throw Exit.say(
            "at most \(limit.rlim_cur) files may be open, expected at least \(fewestDescriptors); raise the limit (LimitNOFILE= "
                + "in the unit, or ulimit -n)", 71)
    }
}

/// Where settings come from: flags over environment over file over defaults.
struct SettingsOptions: ParsableArguments, Sendable {
    @Option(help: "The configuration file.") var config: String?
    @Option(help: "The folder for the database and the training runs.") var stateDir: String?
    @Option(help: "The path of the control socket.") var socket: String?

    func validate() throws {
        for (name, value) in [("--config", config), ("--state-dir", stateDir), ("--socket", socket)] where value == "" {
            throw ValidationError("\(name) expects a path, not nothing")
        }
    }

    func load() throws -> Settings {
        var settings = try Settings.load(config ?? Settings.defaultFile)
        settings.stateDirectory = stateDir ?? Settings.environment("STATE_DIRECTORY") ?? settings.stateDirectory
        settings.socket = socket ?? Settings.environment("NILOMETER_SOCKET") ?? settings.socket
        // Systemd's socket has its path already.
        if Systemd.activatedSocket == nil { try SocketFile.check(path: settings.socket) }
        return settings
    }
}

struct CheckConfig: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config", abstract: "Check a configuration file without starting.")

    @Argument(help: "The configuration file.") var file: String

    func run() throws {
        do {
            let settings = try Settings.load(file)
            Console.print(
                "\(file) is fine: \(settings.engine.forecasters.count) forecasters, \(settings.sources.count) sources")
        } catch let error as SettingsError {
            throw Exit.say("\(error)", Int32(78))
        }
    }
}

import Basics
import ControlInterface
import Engine
import Feeding
import Glibc
import Listening
import Logging
import PluginHost
import ServiceLifecycle
import Storage
import Varlink

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Starts everything in order, waits for a signal, and stops it in the other order.
struct Daemon: Sendable {
    let settings: Settings
    let options: SettingsOptions
    let log: Logger

    func run() async throws {
        // What is written is for the owner and the group, whatever the umask was; sockets are opened wider where they are
        // made.
        let asStarted = Glibc.umask(StateFolder.umask)
        let state = try StateFolder(settings.stateDirectory)
        try makeSocketFolder(asStarted)
        // Used to the end, and with it the folder, whose descriptor is the lock.
        let reserve = Reserve(folder: state.folder)
        for sentence in state.tighten() { log.warning("\(sentence)") }
        if let group = settings.group, getgrnam(group) == nil {
            log.warning("there is no group \(group): only root and nilod's own user may change anything")
        }
        let signals = Signals()
        let plugins = makePlugins(state)
        if let sentence = reserve.giveUpIfNeeded() { log.error("\(sentence)") }
        let (store, engine) = try await recover(state, plugins)
        for warning in engine.warnings { log.warning("\(warning)") }
        reserve.take()
        let retraining = makeRetraining(engine, state)
        let schedule = makeSchedule(engine, retraining)
        let sinks = Sinks(settings.sinks, engine: engine, log: log)
        let reloader = Reloader(options: options, engine: engine, schedule: schedule, plugins: plugins, log: log)
        let longAnswers = try LongAnswers()
        let unfinished = MemoryBudget(limit: settings.unfinishedLimit)
        let control = ControlService(
            engine: engine, store: store, folder: state.folder.path, retraining: retraining, plugins: plugins,
            sinks: sinks, settings: settings, longAnswers: longAnswers, counters: FeedCounters(),
            unfinished: unfinished,
            reload: { try await reloader.reload() })
        // Stopped from the last to the first: so the engine answers what it has taken in before its callers' connections
        // close, and what it has to say goes out through the sinks after the database has closed.
        var services = [DaemonService { await sinks.run(until: { try? await gracefulShutdown() }) }]
        services.append(.stopping { plugins.stop() })
        services += listeners(engine, control)
        services.append(watchdog(engine))
        services.append(
            .stopping {
                log.notice("stopping")
                Systemd.notify("STOPPING=1\nSTATUS=Stopping")
                try await apart { try engine.stop() }
                // systemd's socket is not among them, nor another daemon's at the same path.
                SocketFile.removeAll()
                reserve.take()
            })
        services.append(
            .stopping {
                schedule.stop()
                await retraining.stop()
            })
        services.append(.cancelled { try await ModelReloader(engine: engine, log: log).run() })
        services.append(.cancelled { try await Self.watch(store, reserve) })
        services.append(.stopping { longAnswers.stop() })
        services.append(.cancelled { await wait(for: signals, reloader) })
        schedule.start()
        try await DaemonService.run(services)
    }

    /// Looks every second whether the database is where it was opened, and whether there is room for the reserve again.
    private static func watch(_ store: Store, _ reserve: Reserve) async throws {
        while true {
            try await Task.sleep(for: .seconds(1))
            do {
                try store.checkFiles()
            } catch StorageError.closed {
                return
            } catch {
                die(error)
            }
            reserve.take()
        }
    }

    private func makeSchedule(_ engine: Engine, _ retraining: Retraining) -> RetrainingSchedule {
        RetrainingSchedule(engine: engine) { [log] forecaster in
            Task {
                do {
                    _ = try await retraining.request(forecaster)
                } catch {
                    log.warning("not trained: \(error)", metadata: ["forecaster": "\(forecaster)"])
                }
            }
        }
    }

    /// Opens the database and reads it, which may take long after a crash: systemd is asked for patience meanwhile.
    private func recover(_ state: StateFolder, _ plugins: PluginCatalog) async throws -> (Store, Engine) {
        let log = log
        let waiting = Task {
            var seconds = 0
            while true {
                Systemd.notify("EXTEND_TIMEOUT_USEC=30000000\nSTATUS=Recovering, \(seconds) s")
                try await Task.sleep(for: .seconds(5))
                seconds += 5
                log.notice("reading the journal, \(seconds) s so far")
            }
        }
        defer { waiting.cancel() }
        let store = try await apart { try Store(path: state.database) }
        // Only now is it certain that they are nobody's: an older version locks the database alone.
        for sentence in state.removeLeftovers() { log.notice("\(sentence)") }
        let engine = try await Engine(
            store: store, methods: Methods.all + plugins.methods, configuration: settings.engine, clock: SystemClock(),
            kernel: Methods.kernels.arithmetic, onFatal: { Self.die($0) },
            onNotice: { notice in
                switch notice.level {
                case .notice: log.notice("\(notice)")
                case .warning: log.warning("\(notice)")
                }
            })
        return (store, engine)
    }

    private func makePlugins(_ state: StateFolder) -> PluginCatalog {
        let log = log
        for case .refused(_, _, let reason) in settings.plugins { log.warning("plugin refused: \(reason)") }
        return PluginCatalog(settings.plugins, launcher: Executable.own, folder: state.plugins) { name, line in
            log.notice("plugin \(name): \(line)")
        }
    }

    /// Whoever may use the socket has to reach it: this folder is made as the umask at the start says.
    private func makeSocketFolder(_ asStarted: mode_t) throws {
        Glibc.umask(asStarted)
        defer { Glibc.umask(StateFolder.umask) }
        let folder = URL(filePath: settings.socket).deletingLastPathComponent().path
        do {
            try StateFolder.make(folder)
        } catch {
            throw Exit.say("\(error); choose another --socket, or let this user write there", 73)
        }
    }

    private func makeRetraining(_ engine: Engine, _ state: StateFolder) -> Retraining {
        let log = log
        let folders = settings.pluginFolders.flatMap { ["--plugins", $0] }
        let child = TrainingChild(launcher: Executable.own, arguments: folders) { log.info("training: \($0)") }
        return Retraining(engine: engine, folder: state.training) { folder, progress in
            try await child.run(folder) { step in
                if let note = step.note { log.notice("training: it \(note)") }
                progress(step)
            }
        }
    }

    /// The control socket and the sources.
    private func listeners(_ engine: Engine, _ control: ControlService) -> [DaemonService] {
        let (log, settings) = (log, settings)
        let readiness = Readiness(of: 1 + settings.sources.count(where: \.isListener)) {
            if settings.hints { Self.printHints(settings.socket) }
            Systemd.notify("READY=1\nSTATUS=\(engine.seriesCount) series")
        }
        let socket = DaemonService.cancelled {
            let endpoint =
                Systemd.activatedSocket.map { VarlinkService.Endpoint.inherited($0) } ?? .path(settings.socket)
            let throttle = LogThrottle { log.notice("\($0)") }
            try await control.service { throttle($0) }.run(endpoint) {
                log.notice("ready: \(engine.seriesCount) series, control on \(settings.socket)")
                readiness.note()
            }
        }
        let sources = Sources(
            engine: engine, counters: control.counters, unfinished: control.unfinished, readiness: readiness, log: log)
        return [socket] + settings.sources.map { source in .cancelled { try await sources.run(source) } }
    }

    /// Feeds systemd's watchdog, if it is on: only when the writer and every shard have answered.
    private func watchdog(_ engine: Engine) -> DaemonService {
        guard let interval = Systemd.watchdogInterval else { return .stopping {} }
        return .cancelled {
            do {
                while true {
                    try await engine.heartbeat()
                    Systemd.notify("WATCHDOG=1")
                    try await Task.sleep(for: interval)
                }
            } catch EngineError.stopping {
                return
            }
        }
    }

    /// Reloads the configuration at SIGHUP; returns at SIGTERM and SIGINT.
    private func wait(for signals: Signals, _ reloader: Reloader) async {
        for await signal in signals.stream {
            guard signal == SIGHUP else { return }
            // A plugin may take its time, and the next signal may be to stop.
            Task {
                do {
                    let outcome = try await reloader.reload()
                    log.notice("\(outcome)")
                } catch {
                    log.error("the configuration was not reloaded: \(error)")
                }
            }
        }
    }

    static func die(_ error: any Error) {
        Console.complain("nilod: stopping, because what is on disk is not known any more: \(error)")
        exit(74)
    }

    private static func printHints(_ socket: String) {
        let niloctl = ".build/release/niloctl --socket \(socket)"
        Console.complain(
            """

            This machine is being watched. In another terminal:
                \(niloctl) status
                \(niloctl) series
                \(niloctl) forecast 'host*load1' --plot
                \(niloctl) watch
                \(niloctl) models house      (after the first training, about three minutes from now)
            Stop it with Ctrl-C or even kill -9; `make run` goes on from where it was.

            """)
    }
}

import ControlInterface
import Engine
import Logging
import PluginHost
import TimeSeries
import Varlink

/// Runs what forecasts, anomalies and model events go out through.
struct Sinks: Sendable {
    private let sinks: [(name: String, events: EventStream, sink: any LineSink)]

    /// Events from now on are for them.
    init(_ settings: [Settings.Sink], engine: Engine, log: Logger) {
        sinks = settings.map { setting in
            let name = setting.name ?? setting.defaultName
            let line: @Sendable (String) -> Void = { log.notice("sink \(name): \($0)") }
            let sink: any LineSink =
                switch setting.target {
                case .exec(let command):
                    ExecSink(
                        ChildCommand(launcher: Executable.own, command: command, limits: ChildLimits()), line: line)
                case .file(let path): FileSink(path: path, line: line)
                }
            return (name, engine.watch(setting.selector, setting.events), sink)
        }
    }

    /// Until `isStopping` returns and the engine has ended their streams: what is in them goes out, but nobody who does not
    /// read is waited for.
    func run(until isStopping: @escaping @Sendable () async -> Void) async {
        let delivery = Task { await deliver() }
        await isStopping()
        await stop(delivery)
    }

    /// Until the engine stops.
    private func deliver() async {
        await withTaskGroup(of: Void.self) { group in
            for (_, events, sink) in sinks {
                group.addTask {
                    for await event in events {
                        if case .lost(let count) = event.value { sink.drop(count) }
                        guard let bytes = try? event.encoded else {
                            sink.drop(1)
                            continue
                        }
                        await sink.send(bytes + [0x0A])
                    }
                }
            }
        }
    }

    var reports: [Sink] {
        sinks.map { name, events, sink in
            let (counts, backlog) = (sink.counts, events.backlog)
            // Events that wait count as written until they are dropped.
            return Sink(
                name: name, written: counts.written + backlog.waiting, dropped: counts.dropped + backlog.lost,
                restarts: counts.restarts, lastError: counts.lastError)
        }
    }

    private func stop(_ delivery: Task<Void, Never>) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await delivery.value }
            group.addTask { try? await Task.sleep(for: .seconds(2)) }
            await group.next()
            // With it, what still waits is dropped.
            for (_, _, sink) in sinks { sink.stop() }
            group.cancelAll()
        }
    }
}

extension Settings.Sink {
    fileprivate var defaultName: String {
        switch target {
        case .exec(let command): command.first ?? ""
        case .file(let path): path
        }
    }
}

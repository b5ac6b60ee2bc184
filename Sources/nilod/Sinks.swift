import ControlInterface
import Engine
import PluginHost
import TimeSeries
import Varlink

/// Runs what forecasts, anomalies and model events go out through.
struct Sinks: Sendable {
    private let sinks: [(name: String, setting: Settings.Sink, sink: any LineSink)]

    init(_ settings: [Settings.Sink], log: Log) {
        sinks = settings.map { setting in
            let name = setting.name ?? setting.usualName
            let line: @Sendable (String) -> Void = { log.notice("sink \(name): \($0)") }
            let sink: any LineSink =
                switch setting.target {
                case .exec(let command):
                    ExecSink(
                        ChildOrder(launcher: Executable.own, command: command, limits: ChildLimits()), line: line)
                case .file(let path): FileSink(path: path, line: line)
                }
            return (name, setting, sink)
        }
    }

    /// Until the engine stops.
    func run(_ engine: Engine) async {
        await withTaskGroup(of: Void.self) { group in
            for (_, setting, sink) in sinks {
                let events = engine.feed(setting.selector, setting.events) { sink.drop() }
                group.addTask {
                    do {
                        for try await event in events {
                            do {
                                try sink.take { try event.encoded + [0x0A] }
                            } catch is EncodingError {
                                sink.drop()
                            }
                        }
                    } catch {
                        sink.drop()
                    }
                }
            }
        }
    }

    var reports: [Sink] {
        sinks.map { name, _, sink in
            let counts = sink.counts
            return Sink(
                name: name, written: counts.written, dropped: counts.dropped, restarts: counts.restarts,
                lastError: counts.lastError)
        }
    }

    func stop() { for (_, _, sink) in sinks { sink.stop() } }
}

extension Settings.Sink {
    fileprivate var usualName: String {
        switch target {
        case .exec(let command): command.first ?? ""
        case .file(let path): path
        }
    }
}

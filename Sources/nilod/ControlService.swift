import ControlInterface
import Engine
import Glibc
import Storage
import TimeSeries
import Varlink

/// Answers `org.nilometer.Control`: decodes, asks the engine, encodes.
struct ControlService: Sendable {
    let engine: Engine
    let store: Store
    let retraining: Retraining
    let settings: Settings
    let reload: @Sendable () async throws -> String
    let started = ContinuousClock.now

    typealias Method = @Sendable (VarlinkCall) async throws -> Void

    func service(log: @escaping @Sendable (String) -> Void) -> VarlinkService {
        let reading: [String: Method] = [
            "GetStatus": status, "ListSeries": listSeries, "GetForecast": forecast, "Watch": watch,
            "ListForecasters": listForecasters, "ListModels": listModels, "GetState": state, "Export": export,
        ]
        let changing: [String: Method] = [
            "Ingest": ingest, "Retrain": retrain, "Promote": promote, "Rollback": rollBack, "Reset": reset,
            "Backup": backup, "Forget": forget, "Reload": reloadConfiguration,
        ]
        let interface = VarlinkInterface(
            name: Control.name, description: Control.description,
            methods: reading.mapValues { translated($0) }
                .merging(changing.mapValues { permitted(translated($0)) }) { first, _ in first })
        return VarlinkService(
            info: ServiceInfo(
                vendor: "Nilometer", product: "nilod", version: Version.current, url: "https://nilometer.org"),
            interfaces: [interface], log: log)
    }

    /// Whoever may open the socket may read; the owner, root and the configured group may change things.
    private func permitted(_ method: @escaping Method) -> Method {
        let group = settings.group.flatMap { getgrnam($0)?.pointee.gr_gid }
        return { call in
            guard let peer = call.peer,
                peer.uid == 0 || peer.uid == getuid() || group.map({ peer.groups.contains($0) }) ?? false
            else {
                throw VarlinkError(
                    Control.qualified("NotPermitted"),
                    ["text": .string("only root, the daemon's own user and its configured group may do this")])
            }
            try await method(call)
        }
    }

    /// Errors of the engine become errors of the interface.
    private func translated(_ method: @escaping Method) -> Method {
        { call in
            do {
                try await method(call)
            } catch let error as EngineError {
                throw Self.error(error)
            } catch let error as StorageError {
                throw VarlinkError(Control.qualified("Refused"), ["text": .string("\(error)")])
            } catch let error as SettingsError {
                throw VarlinkError(Control.qualified("Refused"), ["text": .string("\(error)")])
            }
        }
    }

    private static func error(_ error: EngineError) -> VarlinkError {
        let text = JSONValue.string("\(error)")
        switch error {
        case .unknownSeries(let name, let nearest):
            return VarlinkError(
                Control.qualified("UnknownSeries"),
                ["name": .string(name), "nearest": .array(nearest.map { .string($0) }), "text": text])
        case .storageFull, .stopping, .notReady: return VarlinkError(Control.qualified("Busy"), ["text": text])
        default: return VarlinkError(Control.qualified("Refused"), ["text": text])
        }
    }
}

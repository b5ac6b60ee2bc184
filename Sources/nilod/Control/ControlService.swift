import Basics
import ControlInterface
import Engine
import Feeding
import Forecasting
import Glibc
import Listening
import PluginHost
import Storage
import TimeSeries
import Varlink

/// Answers `org.nilometer.Control`: decodes, asks the engine, encodes.
struct ControlService: Sendable {
    let engine: Engine
    let store: Store
    /// Where copies of the database are made.
    let folder: String
    let retraining: Retraining
    let plugins: PluginCatalog
    let sinks: Sinks
    let settings: Settings
    let longAnswers: LongAnswers
    /// Of all that comes in, on this socket and through the sources.
    let counters: FeedCounters
    /// What the unfinished messages of all listeners may hold.
    let unfinished: MemoryBudget
    let reload: @Sendable () async throws -> String
    let started = ContinuousClock.now

    typealias Method = @Sendable (VarlinkCall) async throws -> Void

    func service(log: @escaping @Sendable (String) -> Void) throws -> VarlinkService {
        let reading: [String: Method] = [
            "GetStatus": status, "GetForecast": forecast, "Watch": watch, "GetState": state, "ListPlugins": listPlugins,
        ]
        // What grows with the series, the readings or the models.
        let longReading: [String: Method] = [
            "Examine": examine, "ListSeries": listSeries, "GetScores": scores, "ListForecasters": listForecasters,
            "ListModels": listModels, "ListModelEvents": listModelEvents, "Explain": explain, "Export": export,
        ]
        let changing: [String: Method] = ["Ingest": ingest, "Retrain": retrain]
        let longChanging: [String: Method] = [
            "Promote": promote, "Rollback": rollBack, "Reset": reset, "Backup": backup, "Forget": forget,
            "Expire": expire, "Reload": reloadConfiguration,
        ]
        let open = reading.merging(longReading.mapValues { long($0) }) { first, _ in first }
        let closed = changing.merging(longChanging.mapValues { long($0) }) { first, _ in first }
        let interface = try VarlinkInterface(
            Control.description,
            methods: open.mapValues { translated($0) }
                .merging(closed.mapValues { permitted(translated($0)) }) { first, _ in first },
            // Only what everybody may do.
            quick: ["GetForecast": forecastAtOnce])
        var limits = ServiceLimits()
        limits.connections = Self.connectionLimit
        limits.reserved = min(8, limits.connections / 4)
        limits.unfinished = unfinished
        return try VarlinkService(
            info: ServiceInfo(
                vendor: "Nilometer", product: "nilod", version: ProgramVersion.current, url: "https://nilometer.org"),
            interfaces: [interface], limits: limits,
            refusal: ControlError.busy(text: "the daemon has as many connections as it takes: try again").varlink,
            log: log)
    }

    /// A third of the descriptors at most, so that a crowd on this socket leaves enough for the database, the sources,
    /// training, and the connections that are just being refused.
    private static var connectionLimit: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 128 }
        return Int(min(512, limit.rlim_cur / 3))
    }

    /// Off the threads that all tasks share, and cancelled with its caller.
    private func long(_ method: @escaping Method) -> Method {
        { call in try await longAnswers.run { try await method(call) } }
    }

    /// Whoever may open the socket may read; the owner, root and the configured group may change things.
    private func permitted(_ method: @escaping Method) -> Method {
        let group = settings.group.flatMap { getgrnam($0)?.pointee.gr_gid }
        return { call in
            guard let peer = call.peer,
                peer.uid == 0 || peer.uid == getuid() || group.map({ peer.groups.contains($0) }) ?? false
            else {
                throw ControlError.notPermitted(
                    text: "only root, the daemon's own user and its configured group may do this"
                ).varlink
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
                throw ControlError.refused(text: "\(error)").varlink
            } catch let error as SettingsError {
                throw ControlError.refused(text: "\(error)").varlink
            } catch let error as ForecastingError {
                throw ControlError.refused(text: "\(error)").varlink
            } catch let error as PluginHostError {
                throw ControlError.refused(text: "\(error)").varlink
            } catch let error as SeriesSelectorError {
                throw ControlError.refused(text: "\(error)").varlink
            } catch is CancellationError {
                // Nobody is there to hear it, or:
                throw ControlError.busy(text: "\(EngineError.stopping)").varlink
            }
        }
    }

    private static func error(_ error: EngineError) -> VarlinkError {
        let text = "\(error)"
        return switch error {
        case .unknownSeries(let name, let nearest):
            ControlError.unknownSeries(name: name, nearest: nearest, text: text).varlink
        case .storageFull, .stopping, .notReady: ControlError.busy(text: text).varlink
        default: ControlError.refused(text: text).varlink
        }
    }
}

extension VarlinkCall {
    /// Identifies the caller, for fair sharing.
    var peerKey: PeerKey { peer.map { PeerKey(.user($0.uid), process: $0.pid) } ?? PeerKey(.unknown) }
}

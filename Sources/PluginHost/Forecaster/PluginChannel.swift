import ControlInterface
import Dispatch
import Forecasting
import Glibc
import Varlink

/// The daemon's end of a plugin's socket, with one call at a time and a deadline for each.
///
/// `@unchecked Sendable`: `client` is used only while holding `semaphore`.
final class PluginChannel: @unchecked Sendable {
    private let client: VarlinkClient
    private let descriptor: Int32
    /// Not a lock, because a shard that waits gives up at its deadline.
    private let semaphore = DispatchSemaphore(value: 1)

    /// Takes ownership of a connected socket.
    init(connected descriptor: Int32) {
        self.descriptor = descriptor
        client = VarlinkClient(connected: descriptor)
    }

    /// Shuts down the connection, even during a call.
    func hangUp() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    func describe(within limit: Duration) throws -> ForecasterInterface.Describe.Reply {
        try call("Describe", [String: String](), within: limit)
    }

    func load(
        _ model: String, _ specification: ForecastSpecification, weights: String?, within limit: Duration
    ) throws -> ForecasterInterface.Load.Reply {
        let question = ForecasterInterface.Load.Request(
            model: model, specification: ForecasterSpecification(specification), weights: weights)
        return try call("Load", question, within: limit)
    }

    func unload(_ model: String, within limit: Duration) throws {
        let _: ForecasterInterface.Unload.Reply = try call(
            "Unload", ForecasterInterface.Unload.Request(model: model), within: limit)
    }

    /// Steps some rows of `batch`. After an error they are unchanged.
    func advance(
        _ model: String, _ batch: inout AdvanceBatch, _ rows: Range<Int>, _ shape: ModelShape, within limit: Duration
    ) throws {
        let states = rows.lowerBound * shape.stateCount..<rows.upperBound * shape.stateCount
        let lagged = rows.lowerBound * shape.lagCount..<rows.upperBound * shape.lagCount
        let question = ForecasterInterface.Advance.Request(
            model: model, count: rows.count, states: Payload.encode(batch.states[states]),
            series: Payload.encode(batch.series[rows].map(\.rawValue)), values: Payload.encode(batch.values[rows]),
            lagged: Payload.encode(batch.lagged[lagged]),
            localSeconds: Payload.encode(batch.calendar[rows].map(\.localSeconds)),
            cadence: Payload.encode(batch.calendar[rows].map(\.cadenceSeconds)[...]),
            wantsForecasts: batch.wantsForecasts)
        let reply: ForecasterInterface.Advance.Reply = try call("Advance", question, within: limit)
        let width = batch.wantsForecasts ? shape.forecastCount : 0
        let next = try Payload.floats(reply.states, count: states.count, "states")
        let forecasts = try Payload.floats(reply.forecasts, count: rows.count * width, "forecasts")
        batch.states.replaceSubrange(states, with: next)
        if width > 0 {
            batch.forecasts.replaceSubrange(rows.lowerBound * width..<rows.upperBound * width, with: forecasts)
        }
    }

    /// Trains, and calls `progress` with each reply until it is done. After an error of `progress` the connection must
    /// not be used again.
    func train(
        _ question: ForecasterInterface.Train.Request, progress: (ForecasterInterface.Train.Reply) throws -> Void
    ) throws -> [String: Double] {
        var last: ForecasterInterface.Train.Reply?
        try exclusively(deadline: nil) {
            try client.stream(
                ForecasterInterface.qualified("Train"), question, as: ForecasterInterface.Train.Reply.self
            ) { reply in
                try progress(reply)
                last = reply
                return true
            }
        }
        return last?.metrics ?? [:]
    }

    private func call<Reply: Decodable>(
        _ method: String, _ question: some Encodable, within limit: Duration
    ) throws -> Reply {
        try exclusively(deadline: .now + limit) {
            do {
                return try client.call(ForecasterInterface.qualified(method), question)
            } catch let error as DecodingError {
                throw PluginHostError.brokenContract(expected: "a reply of \(method)", found: error.plainText)
            }
        }
    }

    private func exclusively<T>(deadline: ContinuousClock.Instant?, _ body: () throws -> T) throws -> T {
        let timeout = deadline.map { max(0, ($0 - .now) / .seconds(1)) }
        guard semaphore.wait(timeout: timeout.map { .now() + $0 } ?? .distantFuture) == .success else {
            throw PluginHostError.busy
        }
        defer { semaphore.signal() }
        client.deadline = deadline
        return try body()
    }
}

extension DecodingError {
    /// Which part of a reply is wrong.
    fileprivate var plainText: String {
        func prefix(_ context: Context) -> String {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return path.isEmpty ? "" : "\(path): "
        }
        return switch self {
        case .keyNotFound(let key, let context): "\(prefix(context))one without \"\(key.stringValue)\""
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            "\(prefix(context))\(context.debugDescription)"
        @unknown default: "\(self)"
        }
    }
}

import ControlInterface
import Forecasting
import TimeSeries
import Varlink

// Conversions between the values of the method contract and the messages of the interface.

extension ForecasterSpecification {
    init(_ specification: ForecastSpecification) {
        self.init(
            horizon: specification.horizon, quantiles: specification.quantiles.levels,
            parameters: .object(specification.parameters.mapValues(\.json)))
    }

    /// - Throws: `VarlinkError` BadParameter.
    func specification() throws -> ForecastSpecification {
        func refuse(_ name: String, _ text: String) -> VarlinkError {
            ForecasterInterfaceError.badParameter(parameter: name, text: text).varlink
        }
        guard horizon > 0, horizon <= 100_000 else { throw refuse("horizon", "expected at least one lead") }
        guard let levels = QuantileLevels(quantiles) else {
            throw refuse("quantiles", "expected ascending numbers between 0 and 1")
        }
        guard case .object(let members) = parameters else { throw refuse("parameters", "expected an object") }
        return ForecastSpecification(
            horizon: horizon, quantiles: levels, parameters: members.compactMapValues { ParameterValue($0) })
    }
}

extension ParameterValue {
    var json: JSONValue {
        switch self {
        case .boolean(let value): .boolean(value)
        case .integer(let value): .integer(Int64(value))
        case .number(let value): .number(value)
        case .string(let value): .string(value)
        case .list(let values): .array(values.map(\.json))
        }
    }

    /// nil for null and objects, which cannot be parameters.
    init?(_ json: JSONValue) {
        switch json {
        case .boolean(let value): self = .boolean(value)
        case .integer(let value): self = .integer(Int(value))
        case .number(let value): self = .number(value)
        case .string(let value): self = .string(value)
        case .array(let values): self = .list(values.compactMap { ParameterValue($0) })
        case .null, .object: return nil
        }
    }
}

/// The sizes of a loaded model, which determine the layout of every call.
struct ModelShape: Sendable, Hashable {
    var stateCount: Int
    var lagCount: Int
    /// `experts × horizon × quantiles`.
    var forecastCount: Int

    /// The limit of a call and of its reply, in bytes.
    static let frameLimit = 1 << 20

    /// The number of rows that fit into one call; at least one.
    var rowsPerCall: Int {
        // Base64 turns three bytes into four; 1,024 bytes are left for names and braces.
        let bytes = 4 * stateCount + max(4 * lagCount + 24, 4 * forecastCount)
        return max(1, (Self.frameLimit - 1_024) * 3 / 4 / max(1, bytes))
    }
}

/// A model as described by a plugin, checked.
struct ModelDescription: Sendable {
    var shape: ModelShape
    var lags: [Int]
    var experts: [Forecasting.Expert]
    var initialState: [Float]
    var summary: String

    private static let maximumLag = 2_304
    private static let maximumStateCount = 1 << 20

    /// - Throws: ``PluginHostError/brokenContract(expected:found:)``.
    init(_ reply: ForecasterInterface.Load.Reply, _ specification: ForecastSpecification) throws {
        func expect(_ isRight: Bool, _ expected: String, _ found: Any) throws {
            guard isRight else { throw PluginHostError.brokenContract(expected: expected, found: "\(found)") }
        }
        try expect(
            (0...Self.maximumStateCount).contains(reply.stateCount), "a stateCount from 0 to \(Self.maximumStateCount)",
            reply.stateCount)
        let isAscending = zip(reply.lags, reply.lags.dropFirst()).allSatisfy { $0 < $1 }
        try expect(
            isAscending && reply.lags.allSatisfy { (1...Self.maximumLag).contains($0) },
            "ascending lags from 1 to \(Self.maximumLag)", reply.lags)
        let names = Set(reply.experts.map(\.name))
        try expect(
            (1...64).contains(names.count) && names.count == reply.experts.count
                && reply.experts.allSatisfy { $0.prior > 0 && $0.prior.isFinite },
            "1 to 64 experts of different names, each with a prior above zero", reply.experts.map(\.name))
        initialState = try Payload.floats(reply.initialState, count: reply.stateCount, "initialState")
        shape = ModelShape(
            stateCount: reply.stateCount, lagCount: reply.lags.count,
            forecastCount: reply.experts.count * specification.forecastCount)
        lags = reply.lags
        experts = reply.experts.map { Forecasting.Expert(name: $0.name, prior: $0.prior) }
        summary = reply.summary
    }
}

extension AdvanceBatch {
    /// The rows of a call.
    ///
    /// - Throws: `VarlinkError` BadPayload.
    init(
        _ question: ForecasterInterface.Advance.Request, _ model: any ForecastModel, _ shape: ModelShape,
        forecastCount: Int
    ) throws {
        let count = question.count
        func floats(_ name: String, _ text: String, _ width: Int) throws -> [Float] {
            try Self.checked(name, text) { try Payload.floats(text, count: count * width, name) }
        }
        func integers(_ name: String, _ text: String) throws -> [Int64] {
            try Self.checked(name, text) { try Payload.integers(text, count: count, name) }
        }
        guard (0...FrameLimit.bytes).contains(count) else {
            throw ForecasterInterfaceError.badPayload(name: "count", text: "expected a number of rows").varlink
        }
        let states = try floats("states", question.states, shape.stateCount)
        let (values, lagged) = (
            try floats("values", question.values, 1), try floats("lagged", question.lagged, shape.lagCount)
        )
        let series = try integers("series", question.series).map { SeriesID($0) }
        let calendar = zip(
            try integers("localSeconds", question.localSeconds), try floats("cadence", question.cadence, 1)
        ).map { CalendarTime(localSeconds: $0, cadenceSeconds: $1) }
        // Allocate only now that the payload is known to have that many rows.
        self.init(
            count: count, model: model, forecastCount: forecastCount, wantsForecasts: question.wantsForecasts)
        (self.states, self.values, self.lagged, self.series) = (states, values, lagged, series)
        self.calendar = calendar
    }

    private static func checked<T>(_ name: String, _ text: String, _ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch {
            throw ForecasterInterfaceError.badPayload(name: name, text: "\(error)").varlink
        }
    }
}

import Engine
import Forecasting
import HoltWintersForecaster
import LSTMForecaster
import SeasonalNaiveForecaster
import TimeSeries

/// The configuration of a world's daemon, which changes with reloads.
struct WorldSettings {
    /// Series with the same rule.
    struct Group {
        var cadence: Int64
        var aggregate: Aggregate
        var rule: Oracle.Rule
        /// The index of its forecaster; nil: none.
        var forecaster: Int?
    }

    var groups: [Group]
    var forecasters: [ForecasterConfiguration]
    var timeZone: String
    var sealAfter: Int
    var shardCount: Int
    var commitDelay: Int64
    /// After how long a silence series are removed, in nanoseconds; nil: never.
    var timeToLive: Int64?
    /// The memory of all watchers' queues, in bytes.
    var watcherMemory: Int

    static let second: Int64 = 1_000_000_000
    private static let cadences: [Int64] = [1, 10, 60, 300, 900, 3_600].map { $0 * second }

    init(_ random: inout Random) {
        forecasters = [
            Self.forecaster("main", "lstm", &random),
            Self.forecaster("other", "fickle", &random),
            Self.forecaster("steady", "holt-winters", &random),
        ]
        groups = []
        timeZone = random.chance(0.5) ? "UTC" : "World/Summer"
        sealAfter = random.pick([64, 200, 500, 2_000, 100_000])
        shardCount = random.in(1...3)
        commitDelay = Int64(random.pick([0, 1, 5])) * Self.second
        if random.chance(0.3) { timeToLive = Int64(random.pick([2, 20, 100])) * 86_400 * Self.second }
        watcherMemory = random.pick([4_000, 100_000, 100_000_000])
        for _ in 0..<random.in(2...6) { groups.append(group(&random)) }
    }

    private func group(_ random: inout Random) -> Group {
        let cadence = random.pick(Self.cadences)
        let isDeclared = random.chance(0.7)
        var rule = Oracle.Rule()
        if isDeclared { rule.cadence = Cadence(nanoseconds: cadence) }
        if random.chance(0.9) { rule.lateness = cadence * Int64(random.pick([2, 8, 16, 48])) }
        // More than any warm-up and lag reaches back: an epoch begins with what is left of its history.
        if random.chance(0.3) { rule.retention = Int64(random.pick([20, 60])) * 86_400 * Self.second }
        return Group(
            cadence: cadence, aggregate: random.pick(Aggregate.allCases), rule: rule,
            forecaster: random.chance(0.1) ? nil : random.below(forecasters.count))
    }

    private static func forecaster(
        _ name: String, _ method: String, _ random: inout Random
    ) -> ForecasterConfiguration {
        let quantiles = QuantileLevels([0.1, 0.5, 0.9])
        var forecaster = ForecasterConfiguration(
            name: name, method: method, selectors: [], horizon: random.pick([2, 3]),
            quantiles: quantiles ?? ForecasterModels.quantiles)
        forecaster.parameters = ForecasterModels.parameters
        forecaster.opponents = method == "holt-winters" ? ["seasonal-naive"] : ["seasonal-naive", "holt-winters"]
        forecaster.maxGap = random.pick([0, 4, 24, 64])
        forecaster.warmUpSlots = random.pick([8, 40, 120])
        forecaster.trainingSlots = 200
        forecaster.keepVersions = random.pick([1, 2, 4])
        forecaster.anomaly = random.chance(0.7) ? 0.05 : nil
        forecaster.anomalyCooldown = Int64(random.pick([0, 600, 3_600])) * second
        forecaster.retrain =
            method == "lstm"
            ? random.pick([
                .every(nanoseconds: 6 * 3_600 * second), .daily(second: random.pick([5_400, 9_000])), .never,
            ]) : .never
        return forecaster
    }

    // MARK: Names

    static func name(group: Int, _ number: Int) -> String { "g\(group),n=\(number) value" }

    static func group(of name: String) -> Int { Int(name.dropFirst().prefix { $0.isNumber }) ?? 0 }

    private static func selector(_ group: Int) -> SeriesSelector { SeriesSelector("g\(group),*") }

    func rule(of name: String) -> Oracle.Rule {
        let index = Self.group(of: name)
        var rule = groups.indices.contains(index) ? groups[index].rule : Oracle.Rule()
        rule.timeToLive = timeToLive
        return rule
    }

    /// The forecaster of a series; nil without one.
    func forecaster(of name: String) -> ForecasterConfiguration? {
        let index = Self.group(of: name)
        return groups.indices.contains(index) ? groups[index].forecaster.map { forecasters[$0] } : nil
    }

    // MARK: The daemon's

    var engine: EngineConfiguration {
        var configuration = EngineConfiguration(
            forecasters: forecasters.enumerated().map { index, forecaster in
                var forecaster = forecaster
                forecaster.selectors = groups.indices.filter { groups[$0].forecaster == index }.map(Self.selector)
                return forecaster
            },
            series: groups.enumerated().map { index, group in
                SeriesRule(
                    selector: Self.selector(index), cadence: group.rule.cadence, aggregate: group.aggregate,
                    lateness: group.rule.lateness, retention: group.rule.retention)
            }, commitDelay: commitDelay, sealAfter: sealAfter, silentSeriesTTL: timeToLive, shardCount: shardCount,
            calendar: Self.calendar(timeZone))
        configuration.watcherMemory = watcherMemory
        configuration.otherCalendar = { Self.calendar($0) }
        return configuration
    }

    private static let summer = LocalCalendar(name: "World/Summer") { summerOffset($0) }

    private static func calendar(_ name: String) -> LocalCalendar { name == summer.name ? summer : .utc }

    /// The offset from UTC in seconds of a zone of this world: an hour is skipped, or comes back, every day at one
    /// o'clock.
    static func utcOffset(_ zone: String, _ seconds: Int64) -> Int32 { zone == "UTC" ? 0 : summerOffset(seconds) }

    private static let changeInterval: Int64 = 86_400

    private static func summerOffset(_ seconds: Int64) -> Int32 {
        floorDivide(seconds, changeInterval) % 2 == 0 ? 3_600 : 7_200
    }

    /// When the zone of this world changed its offset last.
    static func lastChange(before seconds: Int64) -> Int64 { floorDivide(seconds, changeInterval) * changeInterval }

    // MARK: Changes

    /// Changes something, as an operator would.
    ///
    /// - Returns: the groups whose slots change.
    mutating func change(_ random: inout Random) -> Set<Int> {
        let index = random.below(groups.count)
        switch random.below(8) {
        case 0:
            groups[index].aggregate = random.pick(Aggregate.allCases)
        case 1:
            let cadence = random.pick(Self.cadences)
            groups[index].rule.cadence = Cadence(nanoseconds: cadence)
            return [index]
        case 2: groups[index].forecaster = random.chance(0.2) ? nil : random.below(forecasters.count)
        case 3: timeZone = timeZone == "UTC" ? "World/Summer" : "UTC"
        case 4: forecasters[random.below(forecasters.count)].maxGap = random.pick([0, 4, 24, 64])
        case 5: forecasters[random.below(forecasters.count)].horizon = random.pick([2, 3])
        case 6:
            // A forecaster gets another name: its series begin with a new one.
            let forecaster = random.below(forecasters.count)
            forecasters[forecaster].name = random.pick(["main", "other", "steady"].map { "\($0)\(random.below(3))" })
            let names = forecasters.map(\.name)
            if Set(names).count < names.count { forecasters[forecaster].name += "x\(forecaster)" }
        default:
            forecasters[random.below(forecasters.count)].parameters["fickle"] = [
                "memory": .integer(random.pick([4, 8, 16]))
            ]
        }
        return []
    }
}

/// The methods of worlds, and weights for the one that is trained.
enum ForecasterModels {
    static let quantiles: QuantileLevels = QuantileLevels([0.1, 0.5, 0.9]).unsafelyUnwrapped

    static let parameters: [String: Parameters] = [
        "lstm": [
            "recipe": .string("plain"), "units": .integer(4), "steps": .integer(2), "batch": .integer(2),
            "chunk": .integer(8),
        ],
        "fickle": ["memory": .integer(8)],
    ]

    static func methods(_ plugin: PluginState) -> [any ForecastingMethod] {
        [LSTMMethod(), HoltWinters(), SeasonalNaive(), Fickle(state: plugin)]
    }

    /// Different weights of the LSTM for a specification: real ones, trained shortly on a made-up series.
    ///
    /// `nonisolated(unsafe)`: used only by the thread that runs simulations.
    nonisolated(unsafe) private static var trained: [ForecastSpecification: [[UInt8]]] = [:]

    static func weights(_ specification: ForecastSpecification, _ choice: Int) throws -> [UInt8] {
        if trained[specification] == nil {
            trained[specification] = try (1...3).map { seed in
                var own = specification
                own.parameters["seed"] = .integer(seed)
                return try LSTMMethod().train(panel(seed), from: nil, specification: own) { _ in }.weights
            }
        }
        let all = trained[specification] ?? []
        return all.isEmpty ? [] : all[choice % all.count]
    }

    private static func panel(_ seed: Int) -> Panel {
        var random = Random(seed: UInt64(seed))
        let values = (0..<96).map { Float(20 + ($0 + seed) % 12) + Float(random.fraction()) }
        guard let cadence = Cadence(nanoseconds: 60_000_000_000) else { return Panel(series: []) }
        return Panel(series: [
            Panel.Series(
                id: SeriesID(1), key: "made up", cadence: cadence, start: 0, values: values,
                utcOffsets: Array(repeating: 0, count: values.count))
        ])
    }
}

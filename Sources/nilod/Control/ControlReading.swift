import Basics
import ControlInterface
import Engine
import Glibc
import LineProtocol
import Storage
import TimeSeries
import Varlink

// The methods that change nothing.
extension ControlService {
    @Sendable func status(_ call: VarlinkCall) async throws {
        let counts = engine.ingestCounts
        let refused = counts.refused.map { ($0.key.rawValue, $0.value) }
        let coverage = try await engine.coverage().sorted { $0.key < $1.key }
        let uptime = (ContinuousClock.now - started) / .seconds(1)
        try await call.reply(
            Control.GetStatus.Reply(
                version: ProgramVersion.current, pid: Int(getpid()), kernels: Methods.kernels.name,
                uptimeSeconds: uptime,
                database: settings.stateDirectory + "/nilo.db", databaseBytes: try store.fileBytes(),
                journalReadings: store.journalReadings, series: engine.seriesCount, accepted: counts.accepted,
                late: counts.late, refused: Dictionary(keepingFirst: refused),
                backlog: engine.ingestBacklog, watchers: engine.watcherCount, storageFull: counts.storageFull,
                clockSet: counts.clockIsSet, training: await retraining.running, expiredSeries: counts.expiredSeries,
                unusableForecasts: engine.unusableForecasts,
                coverage: coverage.map { ForecasterCoverage(forecaster: $0.key, coverage: LeadCoverage.all($0.value)) },
                sinks: sinks.reports))
    }

    @Sendable func scores(_ call: VarlinkCall) async throws {
        let question = try call.decode(Control.GetScores.Request.self)
        let range = try Self.range(question.start, question.end)
        let selector = try Self.selector(question.selector)
        let reply = try await longAnswers.inTurn(of: call.peerKey) {
            let found = try await engine.scores(selector, in: range)
            return try EncodedReply(
                Control.GetScores.Reply(series: Self.each(found) { ControlInterface.SeriesScores($0) }))
        }
        try await call.reply(reply)
    }

    @Sendable func examine(_ call: VarlinkCall) async throws {
        let scrub = Scrub(store)
        let reply = try await longAnswers.inTurn(of: call.peerKey) {
            let (findings, remarks) = try await withTaskCancellationHandler {
                (try scrub.run(), try scrub.remarks())
            } onCancel: {
                scrub.cancel()
            }
            let (chunks, bytes) = try store.chunkTotals()
            return Control.Examine.Reply(findings: findings, chunks: chunks, chunkBytes: bytes, remarks: remarks)
        }
        try await call.reply(reply)
    }

    @Sendable func listSeries(_ call: VarlinkCall) async throws {
        let selector = try Self.selector(call.decode(Control.ListSeries.Request.self).selector)
        let list = { @Sendable [engine] in
            try await EncodedReply(Control.ListSeries.Reply(series: Self.each(engine.series(selector)) { Series($0) }))
        }
        // A few series are listed at once: who asks for one does not wait for those who ask for all.
        let isShort = engine.count(selector) <= Self.shortList
        try await call.reply(isShort ? list() : longAnswers.inTurn(of: call.peerKey, list))
    }

    private static let shortList = 256

    /// - Throws: ``SeriesSelectorError``.
    private static func selector(_ text: String?) throws -> SeriesSelector {
        try text.map { try SeriesSelector(parsing: $0) } ?? .all
    }

    /// As messages, unless the caller has gone.
    private static func each<Known, Message>(_ found: [Known], _ message: (Known) -> Message) throws -> [Message] {
        try found.map { known in
            try Task.checkCancellation()
            return message(known)
        }
    }

    @Sendable func forecast(_ call: VarlinkCall) async throws {
        let question = try call.decode(Control.GetForecast.Request.self)
        guard question.history ?? 0 >= 0 else { throw VarlinkError.invalidParameter("history") }
        let made = try await engine.forecast(of: question.series)
        try await call.reply(Self.reply(made, history: question.history))
    }

    /// What ``forecast(_:)`` would answer, from what is known already.
    @Sendable func forecastAtOnce(_ call: QuickCall) -> EncodedReply? {
        guard let question = try? call.decode(Control.GetForecast.Request.self), question.history ?? 0 >= 0,
            let shown = engine.cachedForecast(of: question.series)
        else { return nil }
        let parameters = try? shown.bytes(encoding: question.history ?? -1) {
            try JSONBytes.encode(Self.reply($0, history: question.history))
        }
        return parameters.map { EncodedReply(parameters: $0) }
    }

    private static func reply(_ made: SeriesForecast, history: Int?) -> Control.GetForecast.Reply {
        Control.GetForecast.Reply(forecast: Forecast(made, history: history ?? 120))
    }

    /// The range between two times of a question; open where there is none.
    private static func range(_ start: String?, _ end: String?) throws -> ClosedRange<Timestamp> {
        func time(_ name: String, _ text: String?, _ missing: Timestamp) throws -> Timestamp {
            guard let text else { return missing }
            guard let time = Timestamp(text: text) else { throw VarlinkError.invalidParameter(name) }
            return time
        }
        let (from, to) = (try time("start", start, .distantPast), try time("end", end, .distantFuture))
        guard from <= to else { throw VarlinkError.invalidParameter("end") }
        return from...to
    }

    @Sendable func watch(_ call: VarlinkCall) async throws {
        guard call.wantsMore else { throw VarlinkError.expectedMore }
        let selector = try Self.selector(call.decode(Control.Watch.Request.self).selector)
        for await event in engine.watch(selector) {
            try await call.reply(EncodedReply(parameters: event.encoded), continues: true)
        }
        try await call.reply(Control.Watch.Reply(dropped: "the daemon stops"))
    }

    @Sendable func listForecasters(_ call: VarlinkCall) async throws {
        let schedule = try store.schedule()
        var found: [Forecaster] = []
        let forecasters = try await longAnswers.inTurn(of: call.peerKey) { try await engine.forecasters() }
        for forecaster in forecasters {
            let record = schedule[forecaster.configuration.name]
            found.append(
                Forecaster(
                    name: forecaster.configuration.name, method: forecaster.configuration.method,
                    selectors: forecaster.configuration.selectors.map(\.description),
                    opponents: forecaster.configuration.opponents, horizon: forecaster.configuration.horizon,
                    quantiles: forecaster.configuration.quantiles.levels,
                    retrain: forecaster.configuration.retrain.description, nextDue: record?.nextDue?.text,
                    lastOutcome: record?.lastOutcome, series: forecaster.seriesCount))
        }
        try await call.reply(Control.ListForecasters.Reply(forecasters: found))
    }

    @Sendable func listModels(_ call: VarlinkCall) async throws {
        let name = try call.decode(Control.ListModels.Request.self).forecaster
        let champion = try engine.champion(of: name)
        let versions = try await longAnswers.inTurn(of: call.peerKey) { try await engine.models(of: name) }
        let models = versions.map { version, serves in
            Model(
                version: version.number, method: version.method, created: version.createdAt.text,
                champion: version.id == champion, serves: serves, bytes: version.weightsSize,
                windowStart: version.windowStart?.text, windowEnd: version.windowEnd?.text,
                holdout: (HoldoutReport.of(version.metrics)?.holdout ?? []).map { row in
                    Score(
                        contender: row.contender, pinball: row.pinball, mase: row.mase, series: row.series,
                        wins: row.wins)
                }, parameters: version.parameters)
        }
        try await call.reply(Control.ListModels.Reply(models: models))
    }

    @Sendable func listModelEvents(_ call: VarlinkCall) async throws {
        let question = try call.decode(Control.ListModelEvents.Request.self)
        let limit = question.limit ?? Self.defaultEvents
        guard (1...Storage.ModelEvent.kept).contains(limit) else {
            throw ControlError.refused(
                text: "limit: expected 1 to \(Storage.ModelEvent.kept), found \(limit)"
            ).varlink
        }
        let events = try await longAnswers.inTurn(of: call.peerKey) {
            try await engine.modelEvents(of: question.forecaster, limit: limit)
        }
        try await call.reply(
            Control.ListModelEvents.Reply(
                events: events.map {
                    ModelEvent(
                        at: $0.at.text, kind: $0.kind.rawValue, version: $0.version, series: $0.series, text: $0.text)
                }))
    }

    private static let defaultEvents = 100

    @Sendable func listPlugins(_ call: VarlinkCall) async throws {
        try await call.reply(Control.ListPlugins.Reply(plugins: plugins.reports.map { Plugin($0) }))
    }

    @Sendable func state(_ call: VarlinkCall) async throws {
        let name = try call.decode(Control.GetState.Request.self).series
        let state = try await engine.state(of: name)
        let bytes = state.bytes
        try await call.reply(
            Control.GetState.Reply(
                series: state.series.description, forecaster: state.forecaster, method: state.method,
                modelVersion: state.version, position: Int(state.position), slot: Int(state.slot),
                time: state.time.text,
                bytes: bytes.count, sha256: SHA256.hex(of: bytes)))
    }

    @Sendable func explain(_ call: VarlinkCall) async throws {
        let name = try call.decode(Control.Explain.Request.self).series
        let explanation = try await longAnswers.inTurn(of: call.peerKey) { try await engine.explanation(of: name) }
        try await call.reply(Control.Explain.Reply(explanation))
    }

    @Sendable func export(_ call: VarlinkCall) async throws {
        guard call.wantsMore else { throw VarlinkError.expectedMore }
        let question = try call.decode(Control.Export.Request.self)
        let range = try Self.range(question.start, question.end)
        let encode: @Sendable (SeriesKey, Timestamp, Double) -> String
        switch question.format ?? "csv" {
        case "csv": encode = ReadingEncoder.csv
        case "line": encode = ReadingEncoder.lineProtocol
        case "json": encode = ReadingEncoder.json
        default: throw VarlinkError.invalidParameter("format")
        }
        let selector = try Self.selector(question.selector)
        let isTable = question.format ?? "csv" == "csv"
        try await longAnswers.stream(to: call.peerKey) {
            if isTable { try await call.reply(Control.Export.Reply(data: ReadingEncoder.csvHeader), continues: true) }
            var export = try await longAnswers.inTurn(of: call.peerKey) { try engine.export(selector, in: range) }
            while let (key, readings) = try export.next() {
                let text = readings.map { encode(key, $0.timestamp, $0.value) }.joined()
                try await call.reply(Control.Export.Reply(data: text), continues: true)
            }
        }
        try await call.reply(Control.Export.Reply(data: ""))
    }
}

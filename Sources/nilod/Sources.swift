import Engine
import Feeding
import Listening
import Logging
import TimeSeries

/// Runs what brings readings in.
struct Sources: Sendable {
    let engine: Engine
    /// What the unfinished messages of all listeners may hold.
    let unfinished: MemoryBudget
    let readiness: Readiness
    let log: Logger
    let counters: FeedCounters
    /// Limits how many log lines closed connections can cause.
    private let throttle: LogThrottle

    init(engine: Engine, counters: FeedCounters, unfinished: MemoryBudget, readiness: Readiness, log: Logger) {
        (self.engine, self.counters, self.unfinished) = (engine, counters, unfinished)
        (self.readiness, self.log) = (readiness, log)
        throttle = LogThrottle { log.notice("\($0)") }
    }

    /// Until the task is cancelled.
    ///
    /// - Throws: an exit code, after the log says what is wrong with which source.
    func run(_ source: Settings.Source) async throws {
        do {
            try await run(source.kind)
        } catch let error as FeedingError {
            throw Exit.say("the source at \(source.location): \(error)", 73)
        } catch let error as SocketFileError {
            throw Exit.forStart(error, of: "the source at \(source.location): ")
        }
    }

    private func run(_ source: Settings.Source.Kind) async throws {
        switch source {
        case .host(let interval):
            try await HostSource(interval: interval) { readings in
                do {
                    _ = try await engine.ingest(readings, isUrgent: false)
                } catch {
                    log.warning("host source: \(error)")
                    throw error
                }
            }.run()
        case .stream(let address, let precision):
            try await LineListener(
                address: address, precision: precision, counters: counters, unfinished: unfinished,
                log: { [throttle] in throttle($0) }, commit: engine.commit(isUrgent: true)
            ).run { announce("line protocol", $0) }
        case .datagram(let address, let precision):
            try await DatagramListener(
                address: address, precision: precision, counters: counters, commit: engine.commit(isUrgent: false)
            ).run { announce("line protocol in datagrams", $0) }
        case .http(let address):
            try await HTTPListener(
                address: address, counters: counters, unfinished: unfinished, log: { [throttle] in throttle($0) },
                answers: answers
            ).run { announce("HTTP", $0) }
        case .exec(let command, let precision):
            let name = command.first ?? ""
            try await ExecSource(
                command: command, precision: precision, counters: counters, commit: engine.commit(isUrgent: false),
                log: LogThrottle { [log] in log.notice("source \(name): \($0)") }
            ).run()
        }
    }

    private func announce(_ what: String, _ address: ListenAddress) {
        log.notice("\(what) on \(address)")
        readiness.note()
    }

    private var answers: HTTPListener.Answers {
        HTTPListener.Answers(
            commit: engine.commit(isUrgent: true), metrics: { [self] in metrics },
            trouble: { [engine] in engine.ingestCounts.storageFull ? "the disk is full: readings are refused" : nil })
    }

    private var metrics: [Metric] {
        let (ingest, feed, models) = (engine.ingestCounts, counters.current, engine.modelCounts)
        let refused = RefusalReason.allCases.map { reason in
            ([(name: "reason", value: reason.rawValue)], Double(ingest.refused[reason] ?? 0))
        }
        let unusable = engine.unusableForecasts.sorted { $0.key < $1.key }.map { forecaster, count in
            ([(name: "forecaster", value: forecaster)], Double(count))
        }
        return [
            Metric("nilometer_series", .gauge, help: "Series that are known.", Double(engine.seriesCount)),
            Metric("nilometer_readings_accepted_total", .counter, help: "Readings on disk.", Double(ingest.accepted)),
            Metric(
                "nilometer_readings_late_total", .counter, help: "Accepted readings that were too late for the state.",
                Double(ingest.late)),
            Metric("nilometer_readings_refused_total", .counter, help: "Readings that were refused.", values: refused),
            Metric(
                "nilometer_forecasts_unusable_total", .counter,
                help: "Forecasts left out because their model gave numbers that are not finite.", values: unusable),
            Metric("nilometer_commits_total", .counter, help: "Synced group commits.", Double(ingest.commits)),
            Metric("nilometer_ingest_backlog", .gauge, help: "Requests that wait.", Double(engine.ingestBacklog)),
            Metric(
                "nilometer_watchers", .gauge, help: "Watchers on the control socket, and sinks.",
                Double(engine.watcherCount)),
            Metric("nilometer_storage_full", .gauge, help: "1: the disk is full.", ingest.storageFull ? 1 : 0),
            Metric(
                "nilometer_lines_refused_total", .counter, help: "Lines and readings that listeners refused.",
                Double(feed.problems)),
            Metric(
                "nilometer_text_fields_skipped_total", .counter, help: "Text fields, which are no readings.",
                Double(feed.skipped)),
            Metric(
                "nilometer_datagrams_dropped_total", .counter, help: "Datagrams that found the queue full.",
                Double(feed.droppedDatagrams)),
            Metric(
                "nilometer_datagram_readings_lost_total", .counter,
                help: "Readings of datagrams whose commit failed, as on a full disk.", Double(feed.lostReadings)),
            Metric(
                "nilometer_model_changes_total", .counter, help: "Changes of the models that serve series.",
                values: models.changes.sorted { $0.key < $1.key }.map { ([(name: "kind", value: $0)], Double($1)) }),
            Metric(
                "nilometer_trainings_total", .counter, help: "Training runs that ended, by outcome.",
                values: trainings(models.trained, "finished") + trainings(models.failedTrainings, "failed")),
            Metric(
                "nilometer_connections_refused_total", .counter, help: "Connections beyond the limit.",
                Double(feed.refusedConnections)),
            Metric(
                "nilometer_connections_replaced_total", .counter,
                help: "Silent connections that made room for others.", Double(feed.replacedConnections)),
        ]
    }
    private func trainings(_ counts: [String: Int], _ outcome: String) -> [Metric.Value] {
        counts.sorted { $0.key < $1.key }.map { forecaster, count in
            ([(name: "forecaster", value: forecaster), (name: "outcome", value: outcome)], Double(count))
        }
    }
}

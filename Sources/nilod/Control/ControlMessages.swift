import ControlInterface
import Engine
import PluginHost
import TimeSeries
import Varlink

// The engine's answers as messages of the interface.

extension ControlInterface.Series {
    init(_ summary: SeriesSummary) {
        self.init(
            name: summary.series.description, forecaster: summary.forecaster, method: summary.method,
            modelVersion: summary.version, cadenceSeconds: summary.cadence.map { Double($0.nanoseconds) / 1e9 },
            newest: summary.newest?.text, newestValue: summary.newestValue, readings: summary.counts.readings,
            corrected: summary.counts.corrected, repeated: summary.counts.repeated, late: summary.counts.late)
    }
}

extension ControlInterface.Forecast {
    /// - Parameter history: points of it at most.
    init(_ made: SeriesForecast, history: Int = 120) {
        let forecast = made.forecast
        let leads = (0..<forecast.horizon).map { index in
            Lead(
                lead: index + 1, time: forecast.time(ofLead: index + 1).text,
                values: Array(forecast.quantiles(atLead: index + 1)))
        }
        self.init(
            series: made.series.description, forecaster: made.forecaster, method: made.method,
            modelVersion: made.version, origin: forecast.cadence.start(of: forecast.origin).text,
            cadenceSeconds: Double(forecast.cadence.nanoseconds) / 1e9, quantiles: forecast.quantiles.levels,
            leads: leads, stale: forecast.isStale,
            history: made.history.suffix(history).map {
                Point(time: forecast.cadence.start(of: $0.slot).text, value: $0.value)
            })
    }
}

extension Control.Explain.Reply {
    init(_ made: SeriesExplanation) {
        self.init(
            series: made.series.description, forecaster: made.forecaster, method: made.method,
            modelVersion: made.version, summary: made.summary, steps: made.steps, coverage: made.coverage,
            compared: made.compared, interval: made.interval,
            findings: made.findings.filter(\.value.isFinite).map {
                Finding(name: $0.name, value: $0.value, unit: $0.unit, meaning: $0.meaning)
            })
    }
}

extension Anomaly {
    init(_ found: SeriesAnomaly) {
        let levels = found.quantiles.levels
        let interval = (levels.last ?? 0) - (levels.first ?? 0)
        let median = zip(levels.indices, found.expected).first { $0.0 == found.quantiles.medianIndex }?.1
        self.init(
            series: found.series.description, forecaster: found.forecaster, method: found.method,
            modelVersion: found.version, time: found.cadence.start(of: found.slot).text,
            cadenceSeconds: Double(found.cadence.nanoseconds) / 1e9, value: found.value,
            probability: found.probability, median: median ?? found.value,
            low: found.expected.first ?? found.value, high: found.expected.last ?? found.value,
            interval: Float(interval),
            held: found.suppressed)
    }
}

extension Control.Watch.Reply {
    init(_ event: EngineEvent) {
        switch event {
        // Whoever watches has seen the slots before.
        case .forecast(let forecast): self.init(forecast: Forecast(forecast, history: 1))
        case .anomaly(let anomaly): self.init(anomaly: Anomaly(anomaly))
        case .model(let series, let forecaster, let version, let reason):
            self.init(model: "\(series): \(forecaster) version \(version), \(reason)")
        case .lost(let count):
            self.init(
                dropped: "\(count) events were lost here, because those before them were not read in time; watch fewer "
                    + "series or read faster")
        }
    }
}

extension EncodedOnce<EngineEvent> {
    /// As watchers and sinks get it, encoded once for all of them.
    var encoded: [UInt8] { get throws { try bytes(encoding: 0) { try JSONBytes.encode(Control.Watch.Reply($0)) } } }
}

extension Control.Retrain.Reply {
    init(_ event: RetrainingEvent) {
        switch event {
        case .queued: self.init(phase: "queued", done: 0, total: 0, text: "training is queued", promoted: 0)
        case .preparing: self.init(phase: "preparing", done: 0, total: 0, text: "collecting readings", promoted: 0)
        case .training(let progress):
            self.init(
                phase: "training", done: progress.done, total: progress.total,
                loss: progress.loss.isFinite ? progress.loss : nil,
                text: progress.note.map { "\($0)" } ?? "step \(progress.done) of \(progress.total)", promoted: 0)
        case .finished(let version, let promoted, let text):
            self.init(phase: "finished", done: 1, total: 1, text: text, version: version, promoted: promoted)
        case .failed(let text): self.init(phase: "failed", done: 0, total: 0, text: text, promoted: 0)
        }
    }
}

extension Plugin {
    init(_ report: PluginReport) {
        self.init(
            name: report.name, version: report.version, folder: report.folder, state: report.state,
            pid: report.pid.map { Int($0) }, models: report.models, calls: report.counts.calls,
            absent: report.counts.absent, restarts: report.counts.restarts, lastError: report.counts.lastError)
    }
}

import ControlInterface
import TestSupport
import Varlink

/// What a daemon says of one series, and what a kill and a fresh start must not change.
struct SeriesSnapshot: Equatable {
    /// nil: it has no forecaster.
    var forecaster: String?
    var version = 0
    var state = ""
    /// Of a series that is not silent: a silent one's go by the clock.
    var forecast: [Float] = []
    var horizon = 0
    /// In words, what its forecasts were worth.
    var scores = ""
    /// Truths of the next slot's forecasts.
    var truths = 0
}

/// What a daemon says of all.
struct DaemonSnapshot: Equatable {
    /// By series; those that the daemon knows.
    var series: [String: SeriesSnapshot] = [:]
    /// By series and time.
    var readings: [String: [Int: String]] = [:]

    init(_ daemon: Daemon) throws {
        let known: Control.ListSeries.Reply = try daemon.call("ListSeries", Control.ListSeries.Request())
        let scores: Control.GetScores.Reply = try daemon.call("GetScores", Control.GetScores.Request())
        for name in known.series.map(\.name) {
            var snapshot = SeriesSnapshot()
            do {
                let state: Control.GetState.Reply = try daemon.call("GetState", Control.GetState.Request(series: name))
                (snapshot.forecaster, snapshot.version) = (state.forecaster, state.modelVersion)
                snapshot.state = "\(state.method) slot \(state.slot) \(state.sha256)"
                let reply: Control.GetForecast.Reply = try daemon.call(
                    "GetForecast", Control.GetForecast.Request(series: name))
                if !reply.forecast.stale { snapshot.forecast = reply.forecast.leads.flatMap(\.values) }
                snapshot.horizon = reply.forecast.leads.count
            } catch let error as VarlinkError where error.name == Control.qualified("Refused") {
                // It has no forecaster.
            }
            if let found = scores.series.first(where: { $0.series == name }) {
                snapshot.truths = found.scores.first?.truths ?? 0
                snapshot.scores = "\(found.scores) \(found.coverage) \(found.experts)"
            }
            series[name] = snapshot
        }
        for (key, value) in try Remains.readings(daemon) {
            let words = key.split(separator: " ")
            readings["\(words[0]) t", default: [:]][Int(words[1]) ?? 0] = value
        }
    }
}

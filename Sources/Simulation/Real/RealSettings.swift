import Engine
import TimeSeries

extension WorldSettings {
    /// The configuration of a real daemon; methods that it does not have are replaced.
    var toml: String {
        func seconds(_ nanoseconds: Int64) -> String { "\"\(nanoseconds / Self.second)s\"" }
        var lines = ["seal_after = \(sealAfter)", "shards = \(shardCount)", "commit_delay = \(seconds(commitDelay))"]
        for (index, group) in groups.enumerated() {
            lines += ["[[series]]", "select = \"g\(index),*\"", "aggregate = \"\(group.aggregate.rawValue)\""]
            if let cadence = group.rule.cadence { lines.append("cadence = \(seconds(cadence.nanoseconds))") }
            if let lateness = group.rule.lateness { lines.append("lateness = \(seconds(lateness))") }
        }
        for (index, forecaster) in forecasters.enumerated() {
            let selectors = groups.indices.filter { groups[$0].forecaster == index }.map { "\"g\($0),*\"" }
            lines += [
                "[[forecaster]]", "name = \"\(forecaster.name)\"",
                "method = \"\(forecaster.method == "fickle" ? "seasonal-naive" : forecaster.method)\"",
                "series = [\(selectors.isEmpty ? "\"none\"" : selectors.joined(separator: ", "))]",
                "horizon = \(forecaster.horizon)", "quantiles = [0.1, 0.5, 0.9]",
                "max_gap = \(forecaster.maxGap)", "warm_up = \(forecaster.warmUpSlots)",
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

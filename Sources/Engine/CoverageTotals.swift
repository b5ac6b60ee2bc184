import TimeSeries

/// How often truths lay inside the intervals since the daemon started, by forecaster and lead.
struct CoverageTotals: Sendable {
    private(set) var byForecaster: [String: [SlotScores.Coverage]] = [:]

    mutating func add(_ scores: SlotScores, of forecaster: String?) {
        guard let forecaster else { return }
        add(scores.coverage, of: forecaster)
    }

    mutating func add(_ other: CoverageTotals) {
        for (forecaster, leads) in other.byForecaster { add(leads, of: forecaster) }
    }

    private mutating func add(_ leads: [SlotScores.Coverage], of forecaster: String) {
        var totals = byForecaster[forecaster] ?? []
        // A horizon that changed starts anew.
        if totals.count != leads.count { totals = leads.map { _ in .init(count: 0, outer: 0, inner: 0) } }
        for (place, lead) in leads.enumerated() {
            totals[place].count += lead.count
            totals[place].outer += lead.outer
            totals[place].inner += lead.inner
        }
        byForecaster[forecaster] = totals
    }
}

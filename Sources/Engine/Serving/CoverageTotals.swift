import TimeSeries

/// How often values lay inside the prediction intervals since the daemon started, by forecaster and lead.
struct CoverageTotals: Sendable {
    private(set) var byForecaster: [String: [SlotScores.Coverage]] = [:]
    /// The nominal coverage of the newest scores, by forecaster.
    private var nominal: [String: QuantileLevels.Interval] = [:]

    mutating func add(_ scores: SlotScores, of forecaster: String?) {
        guard let forecaster else { return }
        add(scores.coverage, of: forecaster, scores.nominal)
    }

    mutating func add(_ other: CoverageTotals) {
        for (forecaster, leads) in other.byForecaster { add(leads, of: forecaster, other.nominal[forecaster]) }
    }

    private mutating func add(
        _ leads: [SlotScores.Coverage], of forecaster: String, _ nominal: QuantileLevels.Interval?
    ) {
        var totals = byForecaster[forecaster] ?? []
        // Another horizon or other quantiles start from zero.
        if totals.count != leads.count || nominal != self.nominal[forecaster] {
            totals = leads.map { _ in .init(count: 0, outer: 0, inner: 0) }
        }
        self.nominal[forecaster] = nominal
        for (index, lead) in leads.enumerated() {
            totals[index].count += lead.count
            totals[index].outer += lead.outer
            totals[index].inner += lead.inner
        }
        byForecaster[forecaster] = totals
    }
}

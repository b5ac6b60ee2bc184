import ControlInterface
import Engine
import TimeSeries

// What the engine knows of scores as messages of the interface.

extension ControlInterface.SeriesScores {
    init(_ found: ScoredSeries) {
        let nominal = found.quantiles.nominal
        // Truths that were held against other intervals, before the configuration changed, say nothing of these.
        let comparable = found.blocks.filter { $0.nominal == nil || $0.nominal == nominal }
        self.init(
            series: found.series.description, forecaster: found.forecaster, method: found.method,
            modelVersion: found.version,
            experts: found.report.experts.map {
                Expert(name: $0.name.isEmpty ? found.method : $0.name, weight: Double($0.weight))
            },
            scores: Self.scores(found.blocks), coverage: LeadCoverage.sums(comparable),
            nominalOuter: nominal.outer, nominalInner: nominal.inner,
            drift: found.report.drift.flatMap { $0.longRun > 0 ? Double($0.lately) / Double($0.longRun) : nil },
            tail: found.report.tail.map { Double($0) })
    }

    /// Means over all truths; each block's errors are measured in its own mean step.
    private static func scores(_ blocks: [SlotScores]) -> [LeadScore] {
        var sums: [Int: (count: Int, loss: Double, error: Double)] = [:]
        for block in blocks {
            // A series that never moves is forecast without error.
            let scale = block.scale > 0 && block.scale.isFinite ? Double(block.scale) : 1
            // Earlier versions scored forecasts that were not finite.
            for lead in block.leads where lead.loss.isFinite && lead.error.isFinite {
                let before = sums[lead.lead] ?? (0, 0, 0)
                sums[lead.lead] = (
                    before.count + lead.count, before.loss + Double(lead.loss) / scale,
                    before.error + Double(lead.error) / scale
                )
            }
        }
        return sums.sorted { $0.key < $1.key }.filter { $0.value.count > 0 }.map { lead, sum in
            LeadScore(
                lead: lead, truths: sum.count, pinball: sum.loss / Double(sum.count),
                mase: sum.error / Double(sum.count))
        }
    }
}

extension LeadCoverage {
    static func sums(_ blocks: [SlotScores]) -> [LeadCoverage] {
        let horizon = blocks.map(\.coverage.count).max() ?? 0
        return (0..<horizon).map { index in
            let rows = blocks.compactMap { $0.coverage.indices.contains(index) ? $0.coverage[index] : nil }
            return LeadCoverage(
                lead: index + 1, truths: rows.reduce(0) { $0 + $1.count }, outer: rows.reduce(0) { $0 + $1.outer },
                inner: rows.reduce(0) { $0 + $1.inner })
        }
    }

    static func all(_ leads: [SlotScores.Coverage]) -> [LeadCoverage] {
        leads.enumerated().map { index, lead in
            LeadCoverage(lead: index + 1, truths: lead.count, outer: lead.outer, inner: lead.inner)
        }
    }
}

package import Forecasting
package import TimeSeries

/// A series of a panel from its first value on, with gaps filled by the preceding value.
package struct FilledSeries: Sendable {
    package let id: SeriesID
    /// The index of its first value in the panel's series.
    package let offset: Int
    package private(set) var values: [Float]
    /// Whether each slot had a reading.
    package private(set) var isKnown: [Bool]
    /// The MASE scale: the mean absolute difference over one season; never zero.
    package var scale: Float = 1
    /// The median of the values.
    package private(set) var center: Float = 0

    package var count: Int { values.count }
    /// The values of slots that had a reading.
    var knownValues: [Float] { zip(values, isKnown).compactMap { $1 ? $0 : nil } }

    /// nil when the series has no value.
    package init?(_ series: Panel.Series) {
        guard let first = series.values.firstIndex(where: { $0.isFinite }) else { return nil }
        (id, offset) = (series.id, first)
        values = Array(series.values[first...])
        isKnown = values.map(\.isFinite)
        for index in values.indices where !isKnown[index] { values[index] = values[index - 1] }
        center = values.sorted()[values.count / 2]
    }

    /// Computes the scale over a season of `short` slots, or over one slot if there is no season.
    package mutating func measureScale(season short: Int) {
        let seasonal = short > 0 && count > short ? difference(short) : 0
        let floor = max(1e-6 * center.magnitude, 1e-12)
        scale = max(seasonal > 1e-9 ? seasonal : difference(1), floor)
    }

    private func difference(_ lag: Int) -> Float {
        var (sum, count) = (0.0, 0)
        for index in values.indices.dropFirst(lag) where isKnown[index] && isKnown[index - lag] {
            sum += Double((values[index] - values[index - lag]).magnitude)
            count += 1
        }
        return count == 0 ? 0 : Float(sum / Double(count))
    }

    func suffix(_ length: Int) -> FilledSeries {
        var shortened = self
        shortened.values = Array(values.suffix(length))
        shortened.isKnown = Array(isKnown.suffix(length))
        return shortened
    }
}

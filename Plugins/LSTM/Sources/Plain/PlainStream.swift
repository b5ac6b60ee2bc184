import Forecasting
import Recurrent
import TimeSeries

/// A series prepared for training: what the network would have read, slot by slot.
struct PlainSeries: Sendable {
    /// `[slots, features]`.
    let features: [Float]
    /// The last value and the spread at every slot, relative to which outputs are expressed.
    let last: [Float]
    let spread: [Float]
    let values: [Float]

    var count: Int { values.count }

    init(_ series: Panel.Series) {
        let calendar = CalendarFeatures.of(series.values.indices.map { series.calendar(at: $0) })
        var scale = PlainFeatures.Scale(mean: 0, deviation: 0, seen: 0, last: .nan)
        var features = [Float](repeating: 0, count: series.values.count * PlainFeatures.count)
        var (last, spread): ([Float], [Float]) = ([], [])
        features.withUnsafeMutableBufferPointer { out in
            guard let out = out.baseAddress else { return }
            for (index, value) in series.values.enumerated() {
                PlainFeatures.write(value, calendar[index], scale: &scale, to: out + index * PlainFeatures.count)
                last.append(scale.last)
                spread.append(scale.spread)
            }
        }
        (self.features, self.last, self.spread, values) = (features, last, spread, series.values)
    }

    /// The actual value at `lead` from slot `index` in the network's unit; nil if there is none.
    func target(at index: Int, lead: Int) -> Float? {
        guard index + lead < values.count else { return nil }
        let scaled = (values[index + lead] - last[index]) / spread[index]
        // While the spread is still close to zero, targets are meaningless.
        return scaled.isNaN || scaled.magnitude > 50 ? nil : scaled
    }
}

/// One row of the batch: a position in a series.
struct PlainStream: Sendable {
    var series: Int
    var position: Int
    /// Steps since the state was last reset.
    var age = 0
}

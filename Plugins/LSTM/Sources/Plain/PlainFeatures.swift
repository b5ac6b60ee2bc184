import Forecasting
import Recurrent

/// The features that the network reads for a slot, and the running scale used to normalize them.
///
/// Mean and spread are part of the state, so a series is scaled by its own past alone, and a series created after
/// training is scaled in the same way as one in the training panel.
enum PlainFeatures {
    /// (x − mean)/spread, (x − last)/spread, missing, sine and cosine of the day and of the week.
    static let count = 7

    /// The number of slots over which mean and spread are taken.
    static let memory: Float = 256

    /// The running scale of one series: four floats at the end of its state.
    struct Scale: Equatable {
        var mean: Float
        /// The mean absolute deviation from the mean.
        var deviation: Float
        var seen: Float
        /// The newest value; NaN before the first.
        var last: Float

        static let count = 4
        static let initial: [Float] = [0, 0, 0, .nan]

        /// The scale of the network's outputs; never zero, so that constant series work too.
        var spread: Float { max(deviation, 1e-6 * mean.magnitude, 1e-12) }

        mutating func observe(_ value: Float) {
            seen = min(seen + 1, PlainFeatures.memory)
            if seen == 1 { mean = value } else { deviation += ((value - mean).magnitude - deviation) / seen }
            mean += (value - mean) / seen
            last = value
        }
    }

    /// Writes the features of one slot and updates the scale.
    static func write(
        _ value: Float, _ calendar: CalendarFeatures, scale: inout Scale, to out: UnsafeMutablePointer<Float>
    ) {
        let before = scale
        if !value.isNaN { scale.observe(value) }
        let isKnown = !value.isNaN && before.seen > 0
        out[0] = scale.seen > 0 ? squashed((scale.last - scale.mean) / scale.spread) : 0
        out[1] = isKnown ? squashed((value - before.last) / scale.spread) : 0
        out[2] = value.isNaN ? 1 : 0
        (out[3], out[4], out[5], out[6]) = (
            calendar.daySine, calendar.dayCosine, calendar.weekSine, calendar.weekCosine
        )
    }

    /// Nearly x for small x, and limited to ±8: one outlier must not saturate every gate.
    private static func squashed(_ x: Float) -> Float { x / (1 + x.magnitude / 8) }
}

/// The sine and cosine of the phase of a slot in the day and in the week; zero if a slot is half the period or longer.
struct CalendarFeatures {
    var daySine: Float = 0
    var dayCosine: Float = 0
    var weekSine: Float = 0
    var weekCosine: Float = 0

    /// The features of several slots.
    struct Column {
        fileprivate let distinct: [CalendarFeatures]
        /// The index into `distinct` for each slot; empty if there is only one distinct time.
        fileprivate let indices: [Int]

        subscript(slot: Int) -> CalendarFeatures { distinct[indices.isEmpty ? 0 : indices[slot]] }
    }

    /// Computes the features of several slots with one call of the kernels.
    static func of(_ times: [CalendarTime]) -> Column {
        // The rows of a batch usually have the same time.
        if let first = times.first, times.allSatisfy({ $0 == first }) {
            return Column(distinct: ofDistinct([first]), indices: [])
        }
        var (distinct, indices) = ([CalendarTime](), [Int]())
        indices.reserveCapacity(times.count)
        for time in times {
            if time != distinct.last { distinct.append(time) }
            indices.append(distinct.count - 1)
        }
        return Column(distinct: ofDistinct(distinct), indices: indices)
    }

    private static func ofDistinct(_ times: [CalendarTime]) -> [CalendarFeatures] {
        let turns = times.flatMap { time in
            [time.dayFraction, time.dayFraction + 0.25, time.weekFraction, time.weekFraction + 0.25]
        }
        let waves = Kernels.best.sin2pi(turns)
        return times.indices.map { index in
            let day: Float = times[index].cadenceSeconds < 43_200 ? 1 : 0
            let week: Float = times[index].cadenceSeconds < 302_400 ? 1 : 0
            return CalendarFeatures(
                daySine: day * waves[4 * index], dayCosine: day * waves[4 * index + 1],
                weekSine: week * waves[4 * index + 2], weekCosine: week * waves[4 * index + 3])
        }
    }
}

import Forecasting
import Recurrent

/// What the network sees of a slot, and the running scale it is seen in.
///
/// Mean and spread are part of the state, so a series is scaled by its own past alone, and one born after training is
/// scaled as well as one trained on.
enum PlainFeatures {
    /// (x − mean)/spread, (x − last)/spread, missing, sine and cosine of the day and of the week.
    static let count = 7

    /// How many slots mean and spread look back on.
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

        /// What a unit of the network's output is worth; never zero, so that constant series divide too.
        var spread: Float { max(deviation, 1e-6 * mean.magnitude, 1e-12) }

        mutating func take(_ value: Float) {
            seen = min(seen + 1, PlainFeatures.memory)
            if seen == 1 { mean = value } else { deviation += ((value - mean).magnitude - deviation) / seen }
            mean += (value - mean) / seen
            last = value
        }
    }

    /// Writes the features of one slot and moves the scale on.
    static func write(
        _ value: Float, _ calendar: CalendarFeatures, scale: inout Scale, to out: UnsafeMutablePointer<Float>
    ) {
        let before = scale
        if !value.isNaN { scale.take(value) }
        let isKnown = !value.isNaN && before.seen > 0
        out[0] = scale.seen > 0 ? squashed((scale.last - scale.mean) / scale.spread) : 0
        out[1] = isKnown ? squashed((value - before.last) / scale.spread) : 0
        out[2] = value.isNaN ? 1 : 0
        (out[3], out[4], out[5], out[6]) = (
            calendar.daySine, calendar.dayCosine, calendar.weekSine, calendar.weekCosine
        )
    }

    /// Nearly x for small x, at most ±8: one outlier must not saturate every gate.
    private static func squashed(_ x: Float) -> Float { x / (1 + x.magnitude / 8) }
}

/// Sine and cosine of where a slot lies in the day and in the week; zero where a slot is longer than that.
struct CalendarFeatures {
    var daySine: Float = 0
    var dayCosine: Float = 0
    var weekSine: Float = 0
    var weekCosine: Float = 0

    /// Those of several slots.
    struct Column {
        fileprivate let distinct: [CalendarFeatures]
        /// Which of them a slot has; empty if there is but one.
        fileprivate let places: [Int]

        subscript(slot: Int) -> CalendarFeatures { distinct[places.isEmpty ? 0 : places[slot]] }
    }

    /// The features of several slots, with one call of the kernels.
    static func of(_ times: [CalendarTime]) -> Column {
        // The series of a batch are mostly at one time.
        if let first = times.first, times.allSatisfy({ $0 == first }) {
            return Column(distinct: ofDistinct([first]), places: [])
        }
        var (distinct, places) = ([CalendarTime](), [Int]())
        places.reserveCapacity(times.count)
        for time in times {
            if time != distinct.last { distinct.append(time) }
            places.append(distinct.count - 1)
        }
        return Column(distinct: ofDistinct(distinct), places: places)
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

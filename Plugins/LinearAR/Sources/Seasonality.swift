/// The season lengths of a group of series, in slots: a short one (the day) and a long one (the week), zero for none.
package struct Seasonality: Hashable, Sendable {
    package var short: Int
    package var long: Int

    package init(short: Int, long: Int) { (self.short, self.long) = (short, long) }

    /// The longest season for which a window of 2,304 slots still has space for the leads.
    static let longest = 2_100

    /// Finds the seasons of series of one cadence.
    ///
    /// The day and the week are used if they are whole numbers of slots, if the longest series covers them twice, and
    /// if the data does not contradict them; else the lag whose mean difference stands out most, if any does. Declared
    /// lengths take precedence.
    package static func find(
        _ series: [FilledSeries], cadenceSeconds: Double, declared: Seasonality, automatic: Bool
    ) -> Seasonality {
        guard automatic else { return declared }
        let history = series.map(\.count).max() ?? 0
        let variogram = Variogram(series)
        let day = wholeSlots(86_400, cadenceSeconds)
        var seasons = Seasonality(short: 0, long: 0)
        if fits(day, history), variogram.contrast(at: day, beside: max(1, day / 4)) < 1 {
            seasons.short = day
            let week = 7 * day
            if fits(week, history), variogram.contrast(at: week, beside: day) < 1.1 { seasons.long = week }
        } else {
            seasons.short = variogram.mostDistinct(upTo: min(history / 3, 1_152)) ?? 0
        }
        return seasons
    }

    private static func fits(_ season: Int, _ history: Int) -> Bool {
        season >= 4 && season <= longest && 2 * season <= history
    }

    private static func wholeSlots(_ seconds: Double, _ cadence: Double) -> Int {
        let slots = seconds / cadence
        return slots == slots.rounded() && slots < 1e6 ? Int(slots) : 0
    }
}

/// Mean absolute differences at a lag over several series, each in units of its own scale.
struct Variogram {
    private let series: [FilledSeries]

    /// Uses only a few series and their newest values, which is enough to detect a season.
    init(_ all: [FilledSeries]) {
        let every = max(1, all.count / 16)
        series = all.enumerated().filter { $0.offset % every == 0 }.map { $0.element.suffix(4_096) }
    }

    func value(at lag: Int) -> Double {
        var (sum, count) = (0.0, 0)
        for column in series where column.count > lag {
            column.values.withUnsafeBufferPointer { values in
                var part: Float = 0
                for index in lag..<values.count { part += (values[index] - values[index - lag]).magnitude }
                sum += Double(part / column.scale) / Double(values.count - lag)
            }
            count += 1
        }
        return count == 0 ? .infinity : sum / Double(count)
    }

    /// The difference at `lag` relative to the mean of those on both sides: below one at a season, even for series that
    /// drift.
    func contrast(at lag: Int, beside: Int) -> Double {
        let sides = (value(at: lag - beside) + value(at: lag + beside)) / 2
        return sides > 0 && sides.isFinite ? value(at: lag) / sides : 1
    }

    /// The lag with the lowest contrast, if it is clearly distinct.
    func mostDistinct(upTo longest: Int) -> Int? {
        guard longest >= 5 else { return nil }
        let differences = (0...longest + longest / 4 + 1).map { $0 == 0 ? 0 : value(at: $0) }
        let contrasts = (4...longest).map { lag -> (lag: Int, contrast: Double) in
            let sides = (differences[lag - max(1, lag / 4)] + differences[lag + max(1, lag / 4)]) / 2
            return (lag, sides > 0 && sides.isFinite ? differences[lag] / sides : 1)
        }
        guard let best = contrasts.min(by: { $0.contrast < $1.contrast }), best.contrast < 0.6 else { return nil }
        // Multiples of the season stand out as much, so the season is the shortest lag that is nearly as good.
        return contrasts.first { $0.contrast < best.contrast * 1.1 + 0.01 }?.lag
    }
}

/// The lags that one group of series reads, and their positions among the lags of the model.
package struct LagWindow: Hashable, Sendable {
    /// Ascending, each at least 1.
    package let lags: [Int]
    /// The index of each lag among the lags of the model.
    package let modelIndices: [Int]
    private let indexOfLag: [Int: Int]

    package init(_ lags: some Sequence<Int>, among all: [Int]? = nil) {
        let sorted = Set(lags).sorted()
        self.lags = sorted
        var indexInModel: [Int: Int] = [:]
        for (index, lag) in (all ?? sorted).enumerated() { indexInModel[lag] = index }
        modelIndices = sorted.compactMap { indexInModel[$0] }
        indexOfLag = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, $0) })
    }

    package var count: Int { lags.count }

    /// The index of `lag` in the window; nil if it is not read, as for lag 0.
    package func index(of lag: Int) -> Int? { indexOfLag[lag] }

    /// The index of the lag closest to `lag`.
    package func nearest(to lag: Int) -> Int {
        lags.indices.min { (abs(lags[$0] - lag), $0) < (abs(lags[$1] - lag), $1) } ?? 0
    }

    /// Differences are clamped to this many scales, so that products of them stay finite.
    static let largest: Float = 1e9

    /// Writes `(lag − last) / scale` for every lag, and returns the last value.
    ///
    /// The last value is the slot's own, or else that of the newest lag with a value. A missing lag takes the value
    /// before it; one before the first value takes the first value.
    ///
    /// Returns NaN when there is no value at all; all differences are then zero.
    package func read(
        _ lagged: UnsafePointer<Float>, value: Float, scale: Float, to d: UnsafeMutablePointer<Float>
    ) -> Float {
        var known = Float.nan
        var oldest = lags.count
        for index in lags.indices.reversed() {
            let lagValue = lagged[modelIndices[index]]
            if lagValue.isFinite {
                if known.isNaN { oldest = index }
                known = lagValue
            }
            d[index] = known
        }
        let last = value.isFinite ? value : known
        guard last.isFinite else {
            for index in lags.indices { d[index] = 0 }
            return last
        }
        let first = oldest < lags.count ? d[oldest] : last
        for index in min(oldest + 1, lags.count)..<lags.count { d[index] = first }
        if oldest == lags.count { for index in lags.indices { d[index] = last } }
        scaleDifferences(d, last: last, scale: scale)
        return last
    }

    /// Writes the differences for slot `index` of a filled series.
    package func read(_ values: UnsafePointer<Float>, at index: Int, scale: Float, to d: UnsafeMutablePointer<Float>) {
        for offset in lags.indices { d[offset] = values[max(0, index - lags[offset])] }
        scaleDifferences(d, last: values[index], scale: scale)
    }

    private func scaleDifferences(_ d: UnsafeMutablePointer<Float>, last: Float, scale: Float) {
        let factor = 1 / scale
        for index in 0..<lags.count {
            let difference = (d[index] - last) * factor
            d[index] = min(max(difference, -Self.largest), Self.largest)
        }
    }

    /// The lags of the linear base.
    ///
    /// All lags up to a week and 23 slots if that is at most 399 slots; else the newest 71 and the neighborhoods of one
    /// and two days (seasons). No lag exceeds a third of the `history`, and the widened window stays within 2,304
    /// slots.
    package static func linearLags(_ seasons: Seasonality, horizon: Int, history: Int) -> [Int] {
        let (short, long) = (seasons.short, seasons.long)
        let maximum = max(4, min((history - horizon) / 3, 2_304 - horizon))
        var lags = Set(1...71)
        if long > 0, long + 24 <= 400 {
            lags = Set(1...long + 23)
        } else if short > 0 {
            lags.formUnion(max(1, short - 26)...short + 24)
            lags.formUnion(max(1, 2 * short - 25)...2 * short + 23)
        }
        return lags.filter { $0 <= maximum }.sorted()
    }
}

/// The lags that one group of series reads, and where they lie among those of the model.
package struct LagWindow: Hashable, Sendable {
    /// Ascending, each at least 1.
    package let lags: [Int]
    /// The place of each lag among the model's.
    package let places: [Int]
    private let indices: [Int: Int]

    package init(_ lags: some Sequence<Int>, among all: [Int]? = nil) {
        let sorted = Set(lags).sorted()
        self.lags = sorted
        var positions: [Int: Int] = [:]
        for (place, lag) in (all ?? sorted).enumerated() { positions[lag] = place }
        places = sorted.compactMap { positions[$0] }
        indices = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, $0) })
    }

    package var count: Int { lags.count }

    /// Where `lag` lies in the window; nil for one that is not read, zero among them.
    package func index(of lag: Int) -> Int? { indices[lag] }

    /// The lag that lies nearest to `lag`.
    package func nearest(to lag: Int) -> Int {
        lags.indices.min { (abs(lags[$0] - lag), $0) < (abs(lags[$1] - lag), $1) } ?? 0
    }

    /// Differences beyond this many scales are held there, so that products of them stay finite.
    static let largest: Float = 1e9

    /// Writes `(lag − last) / scale` for every lag, and returns the last value: the slot's own, else that of the newest
    /// lag that has one. A missing lag takes the value before it, one before the first value takes the first.
    ///
    /// NaN when there is no value at all; no lag differs from it then.
    package func read(
        _ lagged: UnsafePointer<Float>, value: Float, scale: Float, to d: UnsafeMutablePointer<Float>
    ) -> Float {
        var known = Float.nan
        var oldest = lags.count
        for index in lags.indices.reversed() {
            let found = lagged[places[index]]
            if found.isFinite {
                if known.isNaN { oldest = index }
                known = found
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
        scaled(d, last: last, scale: scale)
        return last
    }

    /// The same for slot `index` of a filled series.
    package func read(_ values: UnsafePointer<Float>, at index: Int, scale: Float, to d: UnsafeMutablePointer<Float>) {
        for place in lags.indices { d[place] = values[max(0, index - lags[place])] }
        scaled(d, last: values[index], scale: scale)
    }

    private func scaled(_ d: UnsafeMutablePointer<Float>, last: Float, scale: Float) {
        let factor = 1 / scale
        for index in 0..<lags.count {
            let difference = (d[index] - last) * factor
            d[index] = min(max(difference, -Self.largest), Self.largest)
        }
    }

    /// The lags of the linear base.
    ///
    /// Up to a week and a few hours where that is at most 400 slots; else the newest 71 and the neighbourhoods of one and
    /// two days (seasons). Never more than a third of the `history`, and the widened window stays within 2,304 slots.
    package static func linearLags(_ seasons: Seasonality, horizon: Int, history: Int) -> [Int] {
        let (short, long) = (seasons.short, seasons.long)
        let most = max(4, min((history - horizon) / 3, 2_304 - horizon))
        var lags = Set(1...71)
        if long > 0, long + 24 <= 400 {
            lags = Set(1...long + 23)
        } else if short > 0 {
            lags.formUnion(max(1, short - 26)...short + 24)
            lags.formUnion(max(1, 2 * short - 25)...2 * short + 23)
        }
        return lags.filter { $0 <= most }.sorted()
    }
}

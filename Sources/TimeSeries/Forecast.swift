/// The quantile levels of a forecast: strictly ascending, each inside (0, 1).
public struct QuantileLevels: Hashable, Sendable, Codable {
    public let levels: [Double]

    /// - Returns: nil unless `levels` is strictly ascending, not empty and inside (0, 1).
    public init?(_ levels: [Double]) {
        guard let first = levels.first, let last = levels.last, first > 0, last < 1,
            zip(levels, levels.dropFirst()).allSatisfy({ $0 < $1 })
        else { return nil }
        self.levels = levels
    }

    public var count: Int { levels.count }
    /// The share of actual values that should lie between the outermost levels, and between the next inner pair (the
    /// outermost again with fewer than five levels).
    public var nominal: Interval {
        let inner = count >= 5 ? 1 : 0
        return Interval(outer: levels[count - 1] - levels[0], inner: levels[count - 1 - inner] - levels[inner])
    }

    /// Shares of actual values inside the outer and the inner interval.
    public struct Interval: Hashable, Sendable {
        public var outer: Double
        public var inner: Double

        public init(outer: Double, inner: Double) { (self.outer, self.inner) = (outer, inner) }
    }

    /// The index of the level nearest to one half.
    public var medianIndex: Int {
        levels.indices.min { abs(levels[$0] - 0.5) < abs(levels[$1] - 0.5) } ?? 0
    }
}

/// The forecast of one series: quantiles for every lead from 1 to the horizon.
public struct Forecast: Hashable, Sendable {
    /// The newest slot the forecast has seen; lead `l` is slot `origin + l`.
    public var origin: Slot
    public var cadence: Cadence
    public var quantiles: QuantileLevels
    /// `[horizon][quantiles]`, row-major, in the unit of the readings; ascending within a lead.
    public var values: [Float]
    /// Whether no reading has arrived for five cadences, so that the forecast only rolls the last state forward.
    public var isStale: Bool

    public init(origin: Slot, cadence: Cadence, quantiles: QuantileLevels, values: [Float], isStale: Bool = false) {
        self.origin = origin
        self.cadence = cadence
        self.quantiles = quantiles
        self.values = values
        self.isStale = isStale
    }

    /// The number of leads.
    public var horizon: Int { values.count / quantiles.count }

    /// The quantiles at `lead`, 1…horizon; empty for any other lead.
    public func quantiles(atLead lead: Int) -> ArraySlice<Float> {
        guard (1...max(1, horizon)).contains(lead), !values.isEmpty else { return [] }
        return values[(lead - 1) * quantiles.count..<lead * quantiles.count]
    }

    /// The first instant of the slot at `lead`.
    public func time(ofLead lead: Int) -> Timestamp { cadence.start(of: origin + Int64(lead)) }
}

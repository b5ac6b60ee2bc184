/// The scores of one series' forecasts over a block of slots whose actual values have arrived.
public struct SlotScores: Sendable, Hashable {
    /// Sums over the actual values at one lead.
    public struct Lead: Sendable, Hashable {
        public var lead: Int
        /// The number of actual values.
        public var count: Int
        /// The sum of twice the pinball losses, each averaged over the quantiles, in the unit of the readings.
        public var loss: Float
        /// The sum of the median's absolute errors, in the unit of the readings.
        public var error: Float

        public init(lead: Int, count: Int, loss: Float, error: Float) {
            self.lead = lead
            self.count = count
            self.loss = loss
            self.error = error
        }
    }

    /// How many of the actual values at one lead lay inside the intervals.
    public struct Coverage: Sendable, Hashable {
        public var count: Int
        /// Inside the outermost interval, and inside the next inner one (the same with fewer than five levels).
        public var outer: Int
        public var inner: Int

        public init(count: Int, outer: Int, inner: Int) {
            self.count = count
            self.outer = outer
            self.inner = inner
        }
    }

    /// The first slot of the block, and the number of slots in it.
    public var start: Slot
    public var slots: Int
    /// The mean absolute step of the series at the end of the block: the unit in which errors are expressed.
    public var scale: Float
    /// Lead 1 for every slot; leads of half the horizon and of the horizon for every origin that is a multiple of half
    /// the horizon.
    public var leads: [Lead]
    /// Indexed by lead − 1.
    public var coverage: [Coverage]
    /// One per slot: 1 … 255 for a tail probability of 1 … 2⁻³² of its value, 0 for a slot without a value.
    public var tails: [UInt8]
    /// The nominal ``coverage``; nil if unknown.
    public var nominal: QuantileLevels.Interval?

    public init(
        start: Slot, slots: Int, scale: Float, leads: [Lead], coverage: [Coverage], tails: [UInt8],
        nominal: QuantileLevels.Interval? = nil
    ) {
        self.start = start
        self.slots = slots
        self.scale = scale
        self.leads = leads
        self.coverage = coverage
        self.tails = tails
        self.nominal = nominal
    }
}

/// What the forecasts of one series were worth, over a block of slots whose truths have come.
public struct SlotScores: Sendable, Hashable {
    /// Sums over the truths of one lead.
    public struct Lead: Sendable, Hashable {
        public var lead: Int
        /// Truths that came.
        public var count: Int
        /// The sum of twice the pinball losses, each a mean over the quantiles, in the unit of the readings.
        public var loss: Float
        /// The sum of the median's absolute errors.
        public var error: Float

        public init(lead: Int, count: Int, loss: Float, error: Float) {
            self.lead = lead
            self.count = count
            self.loss = loss
            self.error = error
        }
    }

    /// How often the truth of one lead lay inside the intervals.
    public struct Coverage: Sendable, Hashable {
        public var count: Int
        /// Inside the outermost interval, and inside the next one (the same if there is only one).
        public var outer: Int
        public var inner: Int

        public init(count: Int, outer: Int, inner: Int) {
            self.count = count
            self.outer = outer
            self.inner = inner
        }
    }

    /// The first slot of the block, and how many slots it has.
    public var start: Slot
    public var slots: Int
    /// The mean absolute step of the series at the end of the block: what errors are measured in.
    public var scale: Float
    /// Lead 1 of every slot; half the horizon and the horizon from every origin that is a multiple of half the horizon.
    public var leads: [Lead]
    /// By lead − 1.
    public var coverage: [Coverage]
    /// One per slot: 1 … 255 for a tail probability of 1 … 2⁻³² of its value, 0 for a slot without.
    public var tails: [UInt8]
    /// What ``coverage`` should be; nil: not known.
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

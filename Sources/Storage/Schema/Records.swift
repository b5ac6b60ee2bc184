/// `Storage`: the database file `nilo.db`, with journal, checkpoints, model versions and migrations; the only user of
/// SQLite.
public import TimeSeries

/// A row of `series`.
public struct SeriesRecord: Sendable, Hashable {
    public var id: SeriesID
    public var key: SeriesKey
    public var forecaster: String?
    public var aggregate: Aggregate
    /// The time between slots; nil until it is declared or inferred.
    public var cadence: Cadence?
    /// How many slots a reading may be late; stored together with the cadence.
    public var latenessSlots: Int?
    public var createdAt: Timestamp
    /// When a reading last arrived, to the day; nil if not known.
    public var lastArrival: Timestamp?

    public init(
        id: SeriesID, key: SeriesKey, forecaster: String?, aggregate: Aggregate, cadence: Cadence?,
        latenessSlots: Int?, createdAt: Timestamp, lastArrival: Timestamp? = nil
    ) {
        self.id = id
        self.key = key
        self.forecaster = forecaster
        self.aggregate = aggregate
        self.cadence = cadence
        self.latenessSlots = latenessSlots
        self.createdAt = createdAt
        self.lastArrival = lastArrival
    }
}

/// A reading with its position in the journal.
public struct PositionedReading: Sendable, Hashable {
    public var reading: Reading
    /// For a sealed fresh reading that is alone at its timestamp, the highest position in its chunk: its own no longer
    /// matters.
    public var position: JournalPosition

    public init(reading: Reading, position: JournalPosition) {
        self.reading = reading
        self.position = position
    }
}

/// One group commit as the journal keeps it: reading `i` has the position `firstPosition + i`.
public struct JournalEntry: Sendable, Hashable {
    public var firstPosition: JournalPosition
    public var readings: [Reading]
}

/// A series' state at a slot that no reading within the lateness can change any more.
public struct Checkpoint: Sendable, Hashable {
    public var series: SeriesID
    /// The epoch whose model made the state.
    public var epoch: Int64
    /// The newest slot the state has stepped over; it had a value.
    public var slot: Slot
    /// The highest journal position absorbed when the checkpoint was taken.
    public var position: JournalPosition
    /// The newest slot with a reading when the checkpoint was taken.
    public var frontier: Slot
    /// The compute kernels that produced the state; others may differ in the last bit.
    public var kernel: String
    /// `[stateCount]`, stored bit for bit.
    public var state: [Float]

    public init(
        series: SeriesID, epoch: Int64, slot: Slot, position: JournalPosition, frontier: Slot, kernel: String,
        state: [Float]
    ) {
        self.series = series
        self.epoch = epoch
        self.slot = slot
        self.position = position
        self.frontier = frontier
        self.kernel = kernel
        self.state = state
    }
}

/// The result of ``Store/checkpoints()``.
public struct RecoveredCheckpoints: Sendable {
    /// Newest first, at most two per series.
    public var good: [SeriesID: [Checkpoint]] = [:]
    /// Rows whose checksum or format is wrong.
    public var damaged: [(series: SeriesID, slot: Slot)] = []
    /// The places of these rows.
    var damagedPlaces: [Int64] = []
}

/// A model version to be stored.
public struct NewModelVersion: Sendable {
    public var forecaster: String
    public var method: String
    public var methodVersion: String
    /// The forecast specification as canonical JSON.
    public var parameters: String
    public var parent: Int64?
    public var createdAt: Timestamp
    /// The time range of the readings it was trained on.
    public var windowStart: Timestamp?
    public var windowEnd: Timestamp?
    /// Scores and statistics of the training run as JSON.
    public var metrics: String
    public var weights: [UInt8]

    public init(
        forecaster: String, method: String, methodVersion: String, parameters: String, parent: Int64?,
        createdAt: Timestamp, windowStart: Timestamp?, windowEnd: Timestamp?, metrics: String, weights: [UInt8]
    ) {
        self.forecaster = forecaster
        self.method = method
        self.methodVersion = methodVersion
        self.parameters = parameters
        self.parent = parent
        self.createdAt = createdAt
        self.windowStart = windowStart
        self.windowEnd = windowEnd
        self.metrics = metrics
        self.weights = weights
    }
}

/// A stored model version; its weights are read separately.
public struct ModelVersion: Sendable, Hashable {
    public var id: Int64
    public var forecaster: String
    /// 1, 2, 3 … within its forecaster.
    public var number: Int
    public var method: String
    public var methodVersion: String
    public var parameters: String
    public var parent: Int64?
    public var createdAt: Timestamp
    public var windowStart: Timestamp?
    public var windowEnd: Timestamp?
    public var metrics: String
    /// In bytes; 0 once they were removed.
    public var weightsSize: Int
    /// When its weights were removed; nil if they are still stored.
    public var prunedAt: Timestamp?
}

/// What a model stands in for until that can be loaded.
public enum MissingModel: Sendable, Hashable {
    /// A method that was never loaded.
    case method(String)
    /// The row id of a version that served before.
    case version(Int64)
}

/// What a state depends on besides its model and its readings.
public struct EpochSetting: Sendable, Hashable {
    /// The longest run of missing slots that the model is stepped through.
    public var maxGap: Int
    /// The tz database name of the time zone of the calendar features.
    public var timeZone: String
    /// How the readings of one slot are aggregated into its value.
    public var aggregate: Aggregate

    public init(maxGap: Int, timeZone: String, aggregate: Aggregate) {
        (self.maxGap, self.timeZone, self.aggregate) = (maxGap, timeZone, aggregate)
    }
}

/// A change of model to be stored.
public struct NewEpoch: Sendable {
    public var series: SeriesID
    public var version: Int64
    /// The frontier when the epoch began; nil if it applies from the first reading on.
    public var fromSlot: Slot?
    /// Slots before `fromSlot` that the state is warmed up on.
    public var warmUp: Int
    /// The newest journal position when it began: late readings up to here are part of the warm-up.
    public var position: JournalPosition
    public var reason: String
    /// What it stands in for until that can be loaded; nil if it serves in its own right.
    public var fallbackFor: MissingModel?
    public var setting: EpochSetting?
    public var createdAt: Timestamp

    public init(
        series: SeriesID, version: Int64, fromSlot: Slot?, warmUp: Int, position: JournalPosition, reason: String,
        fallbackFor: MissingModel? = nil, setting: EpochSetting? = nil, createdAt: Timestamp
    ) {
        self.series = series
        self.version = version
        self.fromSlot = fromSlot
        self.warmUp = warmUp
        self.position = position
        self.reason = reason
        self.fallbackFor = fallbackFor
        self.setting = setting
        self.createdAt = createdAt
    }
}

/// The model version that steps a series, and from which slot on.
public struct Epoch: Sendable, Hashable {
    public var id: Int64
    public var series: SeriesID
    public var version: Int64
    public var fromSlot: Slot?
    public var warmUp: Int
    public var position: JournalPosition
    public var reason: String
    /// What it stands in for until that can be loaded; nil if it serves in its own right.
    public var fallbackFor: MissingModel?
    /// nil in epochs stored by earlier versions, until a start fills it in.
    public var setting: EpochSetting?
    public var createdAt: Timestamp
}

/// When a forecaster was last trained and when it is due next.
public struct ScheduleRecord: Sendable, Hashable {
    public var forecaster: String
    public var nextDue: Timestamp?
    public var lastStarted: Timestamp?
    public var lastFinished: Timestamp?
    public var lastOutcome: String?

    public init(
        forecaster: String, nextDue: Timestamp? = nil, lastStarted: Timestamp? = nil, lastFinished: Timestamp? = nil,
        lastOutcome: String? = nil
    ) {
        self.forecaster = forecaster
        self.nextDue = nextDue
        self.lastStarted = lastStarted
        self.lastFinished = lastFinished
        self.lastOutcome = lastOutcome
    }
}

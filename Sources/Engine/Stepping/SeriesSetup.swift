import Storage
import TimeSeries

/// Which model serves a series, since when, and what its state depends on beside it.
struct Assignment: Sendable {
    var epoch: Epoch
    var version: LoadedVersion
    var setting: EpochSetting
    /// Of the setting's time zone.
    var calendar: LocalCalendar
}

/// All that a shard needs to take a series over, new or recovered.
struct SeriesSetup: Sendable {
    var record: SeriesRecord
    /// nil: no forecaster selects the series.
    var assignment: Assignment?
    var checkpoint: Checkpoint?
    var history: KeptReadings
    /// The slots of the assignment's epoch that its model gave no answer for.
    var outages: [ClosedRange<Slot>] = []
}

/// What happened to a series' readings since the daemon started.
public struct SeriesCounts: Sendable, Hashable {
    /// Readings with a timestamp of their own.
    public var readings = 0
    /// Readings that replaced one of the same timestamp.
    public var corrected = 0
    /// Readings that repeated one exactly.
    public var repeated = 0
    /// Readings too late for the running state.
    public var late = 0
}

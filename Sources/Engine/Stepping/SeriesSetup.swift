import Storage
import TimeSeries

/// The model version and the epoch that serve a series, and the settings that its state depends on.
struct Assignment: Sendable {
    var epoch: Epoch
    var version: LoadedVersion
    var setting: EpochSetting
    /// The calendar of the setting's time zone.
    var calendar: LocalCalendar
}

/// Everything that a shard needs to begin with a series, new or recovered.
struct SeriesSetup: Sendable {
    var record: SeriesRecord
    /// nil: no forecaster selects the series.
    var assignment: Assignment?
    var checkpoint: Checkpoint?
    var history: KeptReadings
    /// The slots of the assignment's epoch for which its model did not respond.
    var outages: [ClosedRange<Slot>] = []
}

/// Counts of a series' readings since the daemon started.
public struct SeriesCounts: Sendable, Hashable {
    /// Readings with distinct timestamps, including those recovered at the start.
    public var readings = 0
    /// Readings that replaced one with the same timestamp.
    public var corrected = 0
    /// Readings that repeated one exactly.
    public var repeated = 0
    /// Readings that were too late for the running state.
    public var late = 0
}

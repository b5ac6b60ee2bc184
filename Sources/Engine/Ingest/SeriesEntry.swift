import Storage
import TimeSeries

/// The writer's state of a series: enough to admit and classify a reading.
///
/// Owned by the writer's thread. Modified in place, because a copy per commit would cost more than the commit;
/// ``undo(_:)`` undoes the changes of a failed commit.
struct SeriesEntry: ~Copyable {
    // The fields that every reading needs come first, so that they share cache lines.
    let id: SeriesID
    let key: SeriesKey
    private(set) var cadence: Cadence?
    private(set) var latenessSlots: Int?
    /// The newest slot with a reading; nil before the cadence is known.
    private(set) var frontier: Slot?
    /// Whether a reading has arrived since ``lastArrival`` was set.
    private(set) var hasNewArrival = false
    /// The distinct timestamps, ascending: all while the cadence is unknown, then those of slots that can still take a
    /// fresh reading.
    private var window: [Timestamp] = []
    /// The length of ``window`` at which it is pruned.
    private var pruningLength = SeriesEntry.shortWindow
    var rule: SeriesRule
    var forecaster: String?
    /// Roughly when the last reading arrived; nil: unknown.
    private(set) var lastArrival: Timestamp?

    private static let shortWindow = 128
    static let slotCapacity = 4_096

    init(record: SeriesRecord, rule: SeriesRule) {
        (id, key, forecaster) = (record.id, record.key, record.forecaster)
        (cadence, latenessSlots, lastArrival) = (record.cadence, record.latenessSlots, record.lastArrival)
        self.rule = rule
    }

    /// The changes that one reading made to an entry.
    struct Change {
        fileprivate var added: Timestamp?
        fileprivate let frontier: Slot?
        /// Whether the cadence was determined.
        fileprivate(set) var didSetCadence = false
        fileprivate(set) var isPruningDue = false
        /// nil: refused because its slot is full.
        fileprivate(set) var timeliness: Timeliness?
    }

    /// Prefetches the array header of the timestamps.
    func prefetchWindow() { window.prefetchHeader() }

    /// Prefetches the newest timestamps.
    func prefetchWindowEnd() { window.prefetchEnd() }

    /// Roughly the number of bytes of an entry that ``admit(_:)`` reads.
    static let admittedSize = 128

    /// The newest timestamp with a fresh reading.
    var newest: Timestamp? { window.last }

    /// Records a reading and classifies it.
    mutating func admit(_ timestamp: Timestamp) -> Change {
        var change = Change(frontier: frontier)
        hasNewArrival = true
        change.isPruningDue = window.count >= pruningLength
        // The common case: newer than all others, in a new slot.
        if let cadence, let frontier, timestamp >= cadence.start(of: frontier + 1) {
            window.append(timestamp)
            self.frontier = cadence.slot(of: timestamp)
            (change.added, change.timeliness) = (timestamp, .fresh)
            return change
        }
        if cadence == nil { change.didSetCadence = adoptCadence(rule.cadence) }
        change.timeliness = timeliness(of: timestamp)
        guard change.timeliness == .fresh else { return change }
        if insert(timestamp) { change.added = timestamp }
        if let slot = cadence?.slot(of: timestamp), slot > frontier ?? .min { frontier = slot }
        if cadence == nil { change.didSetCadence = adoptCadence(Cadence.inferred(from: window)) }
        return change
    }

    /// The cadence and the newest slot with a reading: the current ones, or those on `grid`.
    func slots(on grid: ModelChange.Grid?) -> (cadence: Cadence?, frontier: Slot?) {
        guard let grid else { return (cadence, frontier) }
        return (grid.cadence, newest.map { grid.cadence.slot(of: $0) })
    }

    mutating func move(to grid: ModelChange.Grid) {
        (cadence, frontier) = slots(on: grid)
        latenessSlots = grid.latenessSlots
    }

    mutating func recordArrival(at time: Timestamp) { (hasNewArrival, lastArrival) = (false, time) }

    /// Undoes `change`, which must be the newest one not yet undone.
    mutating func undo(_ change: Change) {
        if let added = change.added { window.remove(at: firstIndex(notBefore: added)) }
        frontier = change.frontier
        if change.didSetCadence { (cadence, latenessSlots) = (nil, nil) }
    }

    /// Restores a reading from the journal with its original classification.
    mutating func restore(_ reading: Reading) {
        guard reading.timeliness == .fresh else { return }
        _ = insert(reading.timestamp)
        if let slot = cadence?.slot(of: reading.timestamp), slot > frontier ?? .min { frontier = slot }
        prune()
    }

    /// The frontier of a checkpoint counts even if the reading that made it has expired.
    mutating func restore(frontier slot: Slot) { frontier = max(frontier ?? slot, slot) }

    /// Removes timestamps of slots that no fresh reading can reach any more.
    ///
    /// Runs when the window is twice as long as after the last pruning, so that the cost per reading is amortized
    /// constant.
    mutating func prune() {
        guard window.count >= pruningLength else { return }
        if let lateBound, let cadence { window.removeFirst(firstIndex(notBefore: cadence.start(of: lateBound + 1))) }
        pruningLength = max(Self.shortWindow, 2 * window.count)
    }

    /// A reading of this slot or an older one is late.
    private var lateBound: Slot? { frontier.map { $0 - Int64(latenessSlots ?? 0) } }

    private func timeliness(of timestamp: Timestamp) -> Timeliness? {
        guard let cadence else { return .fresh }
        let slot = cadence.slot(of: timestamp)
        if let lateBound, slot <= lateBound { return .late }
        if let frontier, slot > frontier { return .fresh }
        let index = firstIndex(notBefore: timestamp)
        if index < window.count, window[index] == timestamp { return .fresh }
        let first = firstIndex(notBefore: cadence.start(of: slot))
        // Only a slot that may be full needs a second search.
        guard window.count - first >= Self.slotCapacity else { return .fresh }
        return firstIndex(notBefore: cadence.start(of: slot + 1)) - first < Self.slotCapacity ? .fresh : nil
    }

    private mutating func adoptCadence(_ newCadence: Cadence?) -> Bool {
        guard let newCadence else { return false }
        cadence = newCadence
        latenessSlots = rule.latenessSlots(of: newCadence)
        frontier = window.last.map { newCadence.slot(of: $0) }
        return true
    }

    /// - Returns: false if it was already there.
    private mutating func insert(_ timestamp: Timestamp) -> Bool {
        let index = firstIndex(notBefore: timestamp)
        if index < window.count, window[index] == timestamp { return false }
        window.insert(timestamp, at: index)
        return true
    }

    private func firstIndex(notBefore timestamp: Timestamp) -> Int { window.partitioningIndex { $0 >= timestamp } }
}

import TimeSeries

/// What the writer knows of a series: enough to admit and class a reading.
struct SeriesEntry: Sendable {
    var id: SeriesID
    var key: SeriesKey
    var rule: SeriesRule
    var forecaster: String?
    var cadence: Cadence?
    var latenessSlots: Int?
    /// The newest slot with a reading; nil before the cadence is known.
    var frontier: Slot?
    /// Distinct timestamps so far, while the cadence is not known.
    var early: Set<Timestamp> = []
    /// Readings in the slots that can still take one.
    var counts: [Slot: Int] = [:]

    static let slotCapacity = 4_096

    /// Notes a reading and says how it is classed; nil when its slot is full.
    mutating func admit(_ timestamp: Timestamp) -> Timeliness? {
        guard let cadence else {
            early.insert(timestamp)
            return .fresh
        }
        return admit(slot: cadence.slot(of: timestamp))
    }

    /// Sets the cadence if it is declared or can be inferred by now.
    ///
    /// - Returns: whether it was set by this call.
    mutating func settleCadence() -> Bool {
        guard cadence == nil, let found = rule.cadence ?? Cadence.inferred(from: early) else { return false }
        cadence = found
        latenessSlots = rule.latenessSlots(of: found)
        for timestamp in early { _ = admit(slot: found.slot(of: timestamp)) }
        early = []
        return true
    }

    private mutating func admit(slot: Slot) -> Timeliness? {
        let count = counts[slot, default: 0]
        guard count < Self.slotCapacity else { return nil }
        let oldest = (frontier ?? slot) - Int64(latenessSlots ?? 0)
        // Wide gaps and old slots leave no counts behind: only slots a fresh reading may still fall into are counted.
        guard frontier == nil || slot > oldest else { return .late }
        counts[slot] = count + 1
        if slot > frontier ?? .min {
            frontier = slot
            prune()
        }
        return .fresh
    }

    /// Takes a reading of the journal back in, as it was classed then.
    mutating func restore(_ reading: Reading) {
        guard let cadence else {
            early.insert(reading.timestamp)
            return
        }
        guard reading.timeliness == .fresh else { return }
        let slot = cadence.slot(of: reading.timestamp)
        counts[slot, default: 0] += 1
        if slot > frontier ?? .min {
            frontier = slot
            prune()
        }
    }

    private mutating func prune() {
        guard let frontier, counts.count > 2 * (latenessSlots ?? 0) + 16 else { return }
        let oldest = frontier - Int64(latenessSlots ?? 0)
        counts = counts.filter { $0.key > oldest }
    }
}

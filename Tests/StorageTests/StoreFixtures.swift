import Storage
import TestSupport
import TimeSeries

func reading(_ series: SeriesID, _ second: Int64, _ value: Double) -> Reading {
    Reading(series: series, timestamp: .from(seconds: second), value: value, timeliness: .fresh)
}

func newSeries(_ store: Store, _ name: String) throws -> SeriesID {
    try store.write {
        try $0.insertSeries(
            key: SeriesKey(measurement: name, field: "v"), aggregate: .mean, forecaster: nil,
            createdAt: .from(seconds: 1))
    }
}

/// Its state tells its slot.
func checkpoint(_ series: SeriesID, _ epoch: Int64, _ slot: Slot) -> Checkpoint {
    Checkpoint(
        series: series, epoch: epoch, slot: slot, position: 10 * slot, frontier: slot + 5, kernel: "fma-1",
        state: [Float(slot), -0.0, .nan, .leastNonzeroMagnitude])
}

/// A row in every table that a start builds on, in scores and in training times.
func fill(_ path: String) throws {
    let store = try Store(path: path)
    let a = try newSeries(store, "a")
    try store.write { transaction in
        _ = try transaction.appendJournal([reading(a, 1, 1)])
        let version = try transaction.insertModelVersion(
            NewModelVersion(
                forecaster: "house", method: "lstm", methodVersion: "1", parameters: "{}", parent: nil,
                createdAt: .from(seconds: 1), windowStart: nil, windowEnd: nil, metrics: "{}", weights: [1, 2, 3]))
        let epoch = try transaction.insertEpoch(
            NewEpoch(
                series: a, version: version.id, fromSlot: nil, warmUp: 0, position: 0, reason: "new series",
                createdAt: .from(seconds: 1)))
        try transaction.recordChampion(forecaster: "house", version: version.id)
        try transaction.saveOutage(Outage(series: a, epoch: epoch.id, slots: 2...5))
        for slot in 1...3 as ClosedRange<Slot> { try transaction.saveCheckpoint(checkpoint(a, epoch.id, slot)) }
        try transaction.setSchedule(ScheduleRecord(forecaster: "house", lastOutcome: "kept"))
        let scores = SlotScores(start: 0, slots: 1, scale: 1, leads: [], coverage: [], tails: [9])
        guard let minute = Cadence(nanoseconds: 60_000_000_000) else { return }
        try transaction.saveScores(scores, of: a, cadence: minute)
    }
    try store.close()
}

import Basics
import Storage
import TimeSeries

/// One group commit in one transaction: new series, their epochs, cadences, the journal row, a few checkpoints and
/// scores.
struct CommitTransaction {
    /// The result of a commit, for the shards and the senders.
    struct Committed {
        var admission: Admission
        var receipts: [IngestReceipt]
        /// Series that this commit created.
        var newSeries: [SeriesSetup]
        var firstPosition: JournalPosition
        var lastPosition: JournalPosition
        var newest: Timestamp
        /// Series for which the time of this arrival was stored.
        var arrivals: [EntryHandle]
    }

    let writer: Writer
    let now: Timestamp
    let clockIsSet: Bool
    /// A settled time to store with the commit.
    let settledTime: Timestamp?

    func run(
        _ requests: [IngestRequest], pendingBatch: PendingBatch, outages: [Outage]
    ) throws -> Committed {
        var admission = Admission(
            writer.entries, maxSeries: writer.configuration.maxSeries, now: now, clockIsSet: clockIsSet,
            count: requests.reduce(0) { $0 + $1.readings.count })
        var newSeries: [SeriesSetup] = []
        do {
            return try writer.write { transaction in
                var receipts: [IngestReceipt] = []
                receipts.reserveCapacity(requests.count)
                for request in requests {
                    let receipt = try admit(request, into: &admission, &writer.entries) { key in
                        let setup = try createSeries(for: key, in: transaction)
                        newSeries.append(setup)
                        return SeriesEntry(record: setup.record, rule: writer.configuration.rule(for: key))
                    }
                    receipts.append(receipt)
                }
                for index in admission.seriesWithNewCadence {
                    try transaction.setCadence(of: writer.entries.values[index])
                }
                for outage in outages { try transaction.saveOutage(outage) }
                if let settledTime { try transaction.setSettledTime(settledTime) }
                try pendingBatch.write(to: transaction)
                try writer.seal.write(to: transaction)
                let arrivals = arrivals(admission)
                try transaction.setLastArrivals(arrivals.map { ($0.id, now) })
                return try append(admission, receipts, newSeries, arrivals, transaction)
            }
        } catch {
            admission.undo(in: &writer.entries)
            throw error
        }
    }

    private func admit(
        _ request: IngestRequest, into admission: inout Admission, _ entries: inout SeriesIndex,
        create: (SeriesKey) throws -> SeriesEntry
    ) throws -> IngestReceipt {
        var receipt = IngestReceipt(accepted: 0, late: 0, refusals: [], position: 0)
        for (index, reading) in request.readings.enumerated() {
            if PlantedBug.badNeighbour.isActive, !receipt.refusals.isEmpty { break }
            switch try admission.admit(reading, arrivedAt: request.arrivedAt, in: &entries, create: create) {
            case .success(let timeliness):
                receipt.accepted += 1
                if timeliness == .late { receipt.late += 1 }
            case .failure(let refused):
                receipt.refusals.append(
                    Refusal(index: index, reason: refused.reason, character: refused.character))
            }
        }
        return receipt
    }

    private func append(
        _ admission: Admission, _ receipts: [IngestReceipt], _ newSeries: [SeriesSetup], _ arrivals: [EntryHandle],
        _ transaction: WriteTransaction
    ) throws -> Committed {
        let count = JournalPosition(admission.readings.count)
        let first = count > 0 ? try transaction.appendJournal(admission.readings) : writer.position + 1
        let last = count > 0 ? first + count - 1 : writer.position
        let positioned = receipts.map { receipt in
            var receipt = receipt
            receipt.position = last
            return receipt
        }
        return Committed(
            admission: admission, receipts: positioned, newSeries: newSeries, firstPosition: first, lastPosition: last,
            newest: admission.readings.lazy.map(\.timestamp).max() ?? .distantPast, arrivals: arrivals)
    }
}

extension CommitTransaction {
    /// The series whose stored last arrival is older than a twenty-fourth of the time that they may be silent.
    ///
    /// It is stored with the readings, so that a restart does not take a series for silent that has just returned. A
    /// series without a stored one gets it from ``Expiry``, by a clock that has settled.
    private func arrivals(_ admission: Admission) -> [EntryHandle] {
        guard let timeToLive = writer.configuration.silentSeriesTTL, clockIsSet,
            !PlantedBug.arrivalsLostAtKill.isActive
        else { return [] }
        return admission.seriesIndices.sorted().map { writer.entries.values[$0] }.filter { entry in
            entry.lastArrival.map { now.nanoseconds(since: $0) > timeToLive / 24 } ?? false
        }
    }

    /// Creates a series in the database.
    private func createSeries(for key: SeriesKey, in transaction: WriteTransaction) throws -> SeriesSetup {
        let rule = writer.configuration.rule(for: key)
        let forecaster = writer.configuration.forecaster(for: key)
        let id = try transaction.insertSeries(
            key: key, aggregate: rule.aggregate, forecaster: forecaster?.name, createdAt: now)
        let assignment = try forecaster.flatMap { try firstAssignment(of: key, id, $0, transaction) }
        let record = SeriesRecord(
            id: id, key: key, forecaster: forecaster?.name, aggregate: rule.aggregate, cadence: nil,
            latenessSlots: nil, createdAt: now)
        return SeriesSetup(
            record: record, assignment: assignment, checkpoint: nil, history: KeptReadings())
    }

    private func firstAssignment(
        of key: SeriesKey, _ id: SeriesID, _ forecaster: ForecasterConfiguration, _ transaction: WriteTransaction
    ) throws -> Assignment? {
        guard let first = writer.firstVersions[forecaster.name] else { return nil }
        let service = ModelChange.Service(
            version: first.version, setting: writer.configuration.setting(of: key, forecaster), warmUp: 0)
        return try transaction.beginEpoch(
            of: id, service, from: nil, at: 0, Cause("new series", fallbackFor: first.fallbackFor),
            calendar: writer.configuration.calendar, now: now)
    }
}

extension WriteTransaction {
    fileprivate func setCadence(of entry: EntryHandle) throws {
        guard let cadence = entry.cadence else { return }
        try setCadence(cadence, latenessSlots: entry.latenessSlots ?? 1, of: entry.id)
    }
}

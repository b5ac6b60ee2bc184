import Storage
import TimeSeries

/// One group commit: new series, their epochs, cadences, the journal row and a few checkpoints, in one transaction.
struct CommitTransaction {
    struct Committed {
        var admission: Admission
        var receipts: [IngestReceipt]
        var births: [SeriesSetup]
        var firstPosition: JournalPosition
        var lastPosition: JournalPosition
        var newest: Timestamp
    }

    let desk: WriterDesk
    let now: Timestamp
    let clockIsSet: Bool

    func run(_ requests: [IngestRequest], checkpoints: [Checkpoint]) throws -> Committed {
        try desk.store.write { transaction in
            var births: [SeriesSetup] = []
            var admission = Admission(base: desk.entries, now: now, clockIsSet: clockIsSet)
            var receipts: [IngestReceipt] = []
            for request in requests {
                receipts.append(
                    try take(request, into: &admission) { key in
                        let (entry, setup) = try birth(of: key, transaction)
                        births.append(setup)
                        return entry
                    })
            }
            try writeCadences(admission, transaction)
            for checkpoint in checkpoints { try transaction.saveCheckpoint(checkpoint) }
            return try finish(admission, receipts, births, transaction)
        }
    }

    private func take(
        _ request: IngestRequest, into admission: inout Admission, newSeries: (SeriesKey) throws -> SeriesEntry
    ) throws -> IngestReceipt {
        var receipt = IngestReceipt(accepted: 0, late: 0, refusals: [], position: 0)
        for (index, reading) in request.readings.enumerated() {
            switch try admission.take(reading, newSeries: newSeries) {
            case .success(let timeliness):
                receipt.accepted += 1
                if timeliness == .late { receipt.late += 1 }
            case .failure(let refused):
                receipt.refusals.append(Refusal(index: index, reason: refused.reason))
            }
        }
        return receipt
    }

    private func birth(of key: SeriesKey, _ transaction: WriteTransaction) throws -> (SeriesEntry, SeriesSetup) {
        let rule = desk.configuration.rule(for: key)
        let forecaster = desk.configuration.forecaster(for: key)
        let id = try transaction.insertSeries(
            key: key, aggregate: rule.aggregate, forecaster: forecaster?.name, createdAt: now)
        let assignment = try forecaster.flatMap { desk.firstVersions[$0.name] }.map { version in
            let epoch = NewEpoch(
                series: id, version: version.version.id, fromSlot: nil, warmUp: 0, position: 0, reason: "new series",
                createdAt: now)
            return Assignment(epoch: try transaction.insertEpoch(epoch), version: version)
        }
        let entry = SeriesEntry(id: id, key: key, rule: rule, forecaster: forecaster?.name)
        let record = SeriesRecord(
            id: id, key: key, forecaster: forecaster?.name, aggregate: rule.aggregate, cadence: nil,
            latenessSlots: nil, createdAt: now)
        let setup = SeriesSetup(
            record: record, maxGap: forecaster?.maxGap ?? 512, assignment: assignment, checkpoint: nil, history: [])
        return (entry, setup)
    }

    private func writeCadences(_ admission: Admission, _ transaction: WriteTransaction) throws {
        for key in admission.settled {
            guard let entry = admission.touched[key], let cadence = entry.cadence else { continue }
            try transaction.setCadence(cadence, latenessSlots: entry.latenessSlots ?? 1, of: entry.id)
        }
    }

    private func finish(
        _ admission: Admission, _ receipts: [IngestReceipt], _ births: [SeriesSetup], _ transaction: WriteTransaction
    ) throws -> Committed {
        let count = JournalPosition(admission.readings.count)
        let first = count > 0 ? try transaction.appendJournal(admission.readings) : desk.position + 1
        let last = count > 0 ? first + count - 1 : desk.position
        let positioned = receipts.map { receipt in
            var receipt = receipt
            receipt.position = last
            return receipt
        }
        return Committed(
            admission: admission, receipts: positioned, births: births, firstPosition: first, lastPosition: last,
            newest: admission.readings.map(\.timestamp).max() ?? .distantPast)
    }
}

import Basics
import Storage
import TimeSeries

/// One group commit, from the requests to their acknowledgements.
extension Writer {
    /// Commits `requests` together, delivers them to the shards and acknowledges them.
    func commit(_ requests: [IngestRequest]) {
        let (outages, pendingBatch) = (pendingWrites.outages.drain(), pendingWrites.dequeue(256))
        do {
            let sample = clockReport.sample(onNotice)
            counters.update { $0.clockIsSet = sample.trust != .unset }
            let settledTime = clockReport.dueSettledTime(sample)
            let committed = try CommitTransaction(
                writer: self, now: sample.time, clockIsSet: sample.trust != .unset, settledTime: settledTime
            ).run(requests, pendingBatch: pendingBatch, outages: outages)
            if settledTime != nil { clockReport.recordStored() }
            committed.admission.confirm(entries)
            for entry in committed.arrivals { entry.recordArrival(at: sample.time) }
            pendingBatch.confirm()
            seal.confirm()
            position = committed.lastPosition
            newestReading = max(newestReading, committed.newest)
            deliver(committed)
            updateStorageStatus(isFull: false)
            answer(requests, with: committed)
        } catch {
            if !PlantedBug.failedCommitLosesOutages.isActive { pendingWrites.outages.put(outages) }
            if !PlantedBug.failedCommitLosesScores.isActive { pendingBatch.requeue() }
            fail(requests, error)
        }
    }

    private func deliver(_ committed: CommitTransaction.Committed) {
        for setup in committed.newSeries {
            directory.add(setup.record.id, setup.record.key)
            expiry.recordCreation()
            shards[setup.record.id].tell(.adopt([setup]))
        }
        let readings = committed.admission.readings
        var parts: [[PositionedReading]] = Array(repeating: [], count: shards.count)
        for part in parts.indices { parts[part].reserveCapacity(readings.count / shards.count) }
        for (offset, reading) in readings.enumerated() {
            parts[shards.index(of: reading.series)].append(
                PositionedReading(reading: reading, position: committed.firstPosition + JournalPosition(offset)))
        }
        var cadences: [[ShardMessage.NewCadence]] = Array(repeating: [], count: shards.count)
        for index in committed.admission.seriesWithNewCadence {
            let entry = entries.values[index]
            guard let cadence = entry.cadence else { continue }
            cadences[shards.index(of: entry.id)].append(
                .init(series: entry.id, cadence: cadence, latenessSlots: entry.latenessSlots ?? 1))
        }
        for (index, part) in parts.enumerated() where !part.isEmpty {
            shards.all[index].tell(.commit(part, cadences[index]))
        }
    }

    private func answer(_ requests: [IngestRequest], with committed: CommitTransaction.Committed) {
        counters.update { counts in
            counts.commits += 1
            for receipt in committed.receipts {
                counts.accepted += receipt.accepted
                counts.late += receipt.late
                for refusal in receipt.refusals { counts.refused[refusal.reason, default: 0] += 1 }
            }
        }
        for (request, receipt) in zip(requests, committed.receipts) { request.completion(.success(receipt)) }
    }

    private func updateStorageStatus(isFull: Bool) {
        counters.update { $0.storageFull = isFull }
        fullDiskReport.update(isFull: isFull, monotonic: monotonic, onNotice)
    }

    private func fail(_ requests: [IngestRequest], _ error: any Error) {
        let isFull = (error as? StorageError)?.isDiskFull ?? false
        if isFull { updateStorageStatus(isFull: true) }
        for request in requests {
            if PlantedBug.acknowledgedFailure.isActive {
                request.completion(
                    .success(.init(accepted: request.readings.count, late: 0, refusals: [], position: position)))
            } else {
                request.completion(.failure(isFull ? EngineError.storageFull : error))
            }
        }
        if !isFull { onFatal(error) }
    }
}

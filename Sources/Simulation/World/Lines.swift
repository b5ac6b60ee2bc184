import Engine
import Feeding
import TimeSeries

/// What senders write: line protocol, which goes through the intake of a source, or readings as they are.
extension World {
    /// What the intake of a source handed to the engine, and what it was told.
    ///
    /// `@unchecked Sendable`: used only by the thread that runs the simulation.
    private final class Handed: @unchecked Sendable {
        var readings: [IncomingReading] = []
        var receipt: IngestReceipt?
    }

    /// Hands a batch to the engine, as bytes to a source's intake or as decoded readings.
    func ingest(
        _ batch: [Oracle.Sent], of sender: Sender, _ daemon: Daemon, isUrgent: Bool
    ) async throws -> IngestReceipt {
        let readings = batch.map {
            IncomingReading(
                key: SeriesKey(canonical: $0.series), timestamp: sender.isUntimed ? nil : $0.timestamp, value: $0.value)
        }
        guard sender.writesLines, batch.allSatisfy(\.value.isFinite) else {
            return try await daemon.engine.ingest(readings, isUrgent: isUrgent)
        }
        let handed = Handed()
        var intake = LineIntake(precision: .nanoseconds, counters: FeedCounters()) { readings in
            let receipt = try await daemon.engine.ingest(readings, isUrgent: isUrgent)
            (handed.readings, handed.receipt) = (readings, receipt)
            return IngestOutcome(
                accepted: receipt.accepted, late: receipt.late, position: receipt.position,
                refusals: receipt.refusals.map { ($0.index, "\($0)") })
        }
        let (bytes, problems) = lines(batch, of: sender)
        let outcome = try await intake.ingest(bytes, isWhole: true)
        guard let receipt = handed.receipt else {
            fail("lines arrive as they were sent", "none of \(batch.count) did")
            throw EngineError.stopping
        }
        if handed.readings != readings {
            fail("lines arrive as they were sent", "\(String(decoding: bytes, as: UTF8.self)) as \(handed.readings)")
        }
        if outcome.refused != problems + receipt.refusals.count || outcome.accepted != receipt.accepted {
            fail("a bad line is told and its neighbours are kept", "\(outcome), \(problems) bad lines, \(receipt)")
        }
        coverage.note(problems > 0 ? "lines with bad neighbours" : "lines")
        return receipt
    }

    /// Line protocol, with lines between that are none.
    private func lines(_ batch: [Oracle.Sent], of sender: Sender) -> (bytes: [UInt8], problems: Int) {
        let bad = [
            "g0,n=1", "g0,n=1 value=", "g0,n=1 value=1 soon", ",n=1 value=2", "g0,n=1 value=1e999", "\u{0}\u{1}",
        ]
        let harmless = ["", "# a remark", "g0,n=1 text=\"words\""]
        var random = Random(seed: UInt64(bitPattern: sender.sentAt.nanoseconds) ^ UInt64(batch.count))
        var lines: [String] = []
        var problems = 0
        for reading in batch {
            if random.chance(0.05) {
                lines.append(random.pick(bad))
                problems += 1
            }
            if random.chance(0.05) { lines.append(random.pick(harmless)) }
            let time = sender.isUntimed ? "" : " \(reading.timestamp.nanoseconds)"
            lines.append("\(reading.series)=\(reading.value)\(time)" + (random.chance(0.1) ? "\r" : ""))
        }
        return (Array((lines.joined(separator: "\n") + (random.chance(0.8) ? "\n" : "")).utf8), problems)
    }
}

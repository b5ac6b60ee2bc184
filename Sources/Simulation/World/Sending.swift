import Engine
import Storage
import TimeSeries

/// Senders, and what the oracle makes of their answers.
extension World {
    typealias MakeBatch = (Sender, Timestamp, (String) -> Int64, inout Random) -> [Oracle.Sent]

    func send(_ random: inout Random, _ make: MakeBatch) {
        guard daemon != nil else { return }
        let sender = random.pick(senders)
        guard !sender.isSending, !sender.isPaused else { return }
        let settings = settings
        if sender.batch == nil {
            let batch = make(sender, clock.trueTime, { settings.groups[WorldSettings.group(of: $0)].cadence }, &random)
            guard !batch.isEmpty else { return }
            (sender.batch, sender.isUntimed) = (batch, false)
        } else {
            // Those without timestamps would be other readings.
            if sender.isUntimed, sender.isInDoubt { return }
            coverage.note("sent again")
        }
        send(sender, &random)
    }

    private func send(_ sender: Sender, _ random: inout Random) {
        let (isUrgent, seed) = (random.chance(0.8), random.next())
        (sender.isSending, sender.sentAt, sender.wasClockInDoubt) = (true, clock.trueTime, isClockInDoubt)
        sender.sentMonotonic = clock.monotonic
        withDaemon { daemon in await self.send(sender, to: daemon, isUrgent: isUrgent, seed: seed) }
    }

    /// Sends a batch of readings without timestamps.
    func sendUntimed(_ random: inout Random) {
        let sender = random.pick(senders)
        guard daemon != nil, sender.batch == nil, !sender.isSending, !sender.isPaused else { return }
        (sender.batch, sender.isUntimed) = (sender.makeUntimedBatch(now: clock.trueTime, &random), true)
        send(sender, &random)
    }

    private func send(_ sender: Sender, to daemon: Daemon, isUrgent: Bool, seed: UInt64) async {
        guard var batch = sender.batch else { return }
        defer { sender.isSending = false }
        do {
            if sender.isUntimed {
                let arrival = daemon.engine.clock.now
                if !isClockInDoubt, abs(arrival.nanoseconds(since: clock.trueTime)) > Self.minute {
                    fail("a good clock is believed", "it is \(clock.trueTime.text), not \(arrival.text)")
                }
                for index in batch.indices { batch[index].timestamp = arrival }
                sender.batch = batch
            }
            let receipt = try await ingest(batch, of: sender, daemon, isUrgent: isUrgent)
            sender.batch = nil
            sender.isInDoubt = false
            trace.note(
                "acknowledged", [receipt.position, Int64(receipt.accepted), Int64(receipt.late)],
                batch.prefix(24).map {
                    "\($0.series.prefix { $0 != " " }) \($0.timestamp.text.dropFirst(5)) \($0.value)"
                }
                .joined(separator: "; "))
            compare(receipt, batch, of: sender)
            var random = Random(seed: seed)
            sender.note(batch, &random)
        } catch EngineError.storageFull {
            coverage.note("refused: the disk is full")
            trace.note("disk full")
            if !hasFaults { fail("readings are accepted", "the disk is called full") }
        } catch EngineError.stopping {
            trace.note("not sent")
        } catch {
            // It may have reached the disk.
            trace.note("unanswered", [], "\(error)")
            sender.isInDoubt = true
        }
    }

    // MARK: Receipts

    private func compare(_ receipt: IngestReceipt, _ batch: [Oracle.Sent], of sender: Sender) {
        if receipt.refusals.contains(where: { $0.reason == .clockUnset }) {
            coverage.note("refused: the clock is not set")
            if !sender.isUntimed || !(sender.wasClockInDoubt || isClockInDoubt) {
                fail("a set clock stamps readings", "\(batch)")
            }
        }
        let tooFarAhead = Set(
            receipt.refusals.filter { [.tooFarAhead, .clockUnset].contains($0.reason) }.map(\.index))
        for index in tooFarAhead where !sender.isUntimed && !mayRefuse(batch[index].timestamp, of: sender) {
            fail(
                "no reading is refused for its time while the clock is right",
                "\(batch[index].series) at \(batch[index].timestamp.text), it is \(clock.trueTime.text)")
        }
        for (index, reading) in batch.enumerated() where reading.value.isFinite {
            if !tooFarAhead.contains(index), mustRefuse(reading.timestamp, of: sender) {
                fail("readings from the future are refused", "\(reading.series) at \(reading.timestamp.text)")
            }
        }
        let refusedTimes = Set(tooFarAhead.map { batch[$0].timestamp })
        noticeSilence()
        let before = oracle
        let verdicts = oracle.commit(
            batch, position: receipt.position, sentAt: sender.sentAt, isRefused: { refusedTimes.contains($0) },
            rule: { settings.rule(of: $0) })
        let late = verdicts.count { $0 == .late }
        let accepted = late + verdicts.count { $0 == .fresh }
        if late > 0 { coverage.note("late readings") }
        if verdicts.contains(.slotFull) { coverage.note("full slot") }
        if !refusedTimes.isEmpty { coverage.note("refused: from the future") }
        guard accepted != receipt.accepted || late != receipt.late else { return }
        fail(
            "a reading is classed by the rules of time",
            "accepted \(receipt.accepted), expected \(accepted); late \(receipt.late), expected \(late); "
                + zip(batch, verdicts).map { reading, verdict in
                    let series = before.series[reading.series]
                    return
                        "\(reading.series) \(reading.timestamp.text) \(verdict), frontier \(series?.frontier ?? .min), "
                        + "slot \(series?.cadence?.slot(of: reading.timestamp) ?? .min), lateness \(series?.lateness ?? 0)"
                }.joined(separator: "; "))
    }

    // MARK: The clock

    private static let minute: Int64 = 60_000_000_000

    /// The daemon refuses what is five minutes ahead of its clock; its clock may be wrong, or believed to be.
    private func mayRefuse(_ time: Timestamp, of sender: Sender) -> Bool {
        let wasSetMeanwhile = clockWasWrong.map { $0 >= sender.sentMonotonic } ?? false
        return time.nanoseconds(since: sender.sentAt) > 4 * Self.minute || sender.wasClockInDoubt || wasSetMeanwhile
            || isClockInDoubt
    }

    private func mustRefuse(_ time: Timestamp, of sender: Sender) -> Bool {
        time.nanoseconds(since: clock.trueTime) > 6 * Self.minute && !sender.wasClockInDoubt && !isClockInDoubt
    }

    /// Whether the machine's clock is wrong, or was until lately.
    var isClockInDoubt: Bool {
        if let jumpedAt, clock.monotonic - jumpedAt < 4 * Self.minute { return false }
        return clock.error != 0 || clockWasWrong.map { clock.monotonic - $0 < 30 * Self.minute } ?? false
    }

    // MARK: Doubts

    /// Finds out which of the batches without an answer were committed: all of a batch, or nothing.
    func resolveDoubts(_ daemon: Daemon) {
        for name in forgetting.sorted() where daemon.engine.count(SeriesSelector(name)) == 0 {
            hasForgotten([name])
        }
        forgetting = []
        noticeSilence(isSure: true)
        let doubtful = Set(senders.filter(\.isInDoubt).flatMap { $0.batch ?? [] }.map(\.series))
        guard !doubtful.isEmpty else { return }
        guard let found = try? stored(doubtful, in: daemon) else {
            return fail("what was stored can be read", "after a start")
        }
        for sender in senders where sender.isInDoubt {
            guard let batch = sender.batch else { continue }
            let names = Set(batch.map(\.series))
            var committed = oracle
            let position = daemon.position
            _ = committed.commit(
                batch, position: position, sentAt: sender.sentAt,
                isRefused: { time in
                    mayRefuse(time, of: sender)
                        && !batch.contains {
                            $0.timestamp == time && found[$0.series]?[time]?.bitPattern == $0.value.bitPattern
                        }
                },
                rule: { settings.rule(of: $0) })
            let isCommitted = names.allSatisfy { name in
                holds(found[name] ?? [:], all: committed.readings(of: name)) { committed.mayHaveExpired($0, of: name) }
            }
            if isCommitted { oracle = committed }
            if sender.isUntimed { (sender.batch, sender.isInDoubt) = (nil, false) }
            trace.note("doubt", [isCommitted ? 1 : 0])
            coverage.note(isCommitted ? "unanswered batch was stored" : "unanswered batch was not stored")
        }
    }

    /// Whether `found` is `expected`, which may lack what has expired.
    func holds(
        _ found: [Timestamp: Double], all expected: [(timestamp: Timestamp, value: Double)],
        mayLack: (Timestamp) -> Bool
    ) -> Bool {
        var count = 0
        for (time, value) in expected {
            if let known = found[time] {
                guard known.bitPattern == value.bitPattern else { return false }
                count += 1
            } else if !mayLack(time) {
                return false
            }
        }
        return count == found.count
    }

    /// The stored readings of some series.
    func stored(_ names: Set<String>, in daemon: Daemon) throws -> [String: [Timestamp: Double]] {
        var found: [String: [Timestamp: Double]] = [:]
        let selectors = names.count > 3 ? [SeriesSelector.all] : names.sorted().map { SeriesSelector($0) }
        for selector in selectors {
            var export = try daemon.engine.export(selector, in: .distantPast ... .distantFuture)
            while let part = try export.next() {
                let name = part.key.description
                guard names.contains(name) else { continue }
                for reading in part.readings { found[name, default: [:]][reading.timestamp] = reading.value }
            }
        }
        return found
    }
}

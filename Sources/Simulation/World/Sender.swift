import TimeSeries

/// A program that sends readings of its own series, one batch after the other, and sends a batch again until it is
/// acknowledged.
///
/// `@unchecked Sendable`: used only by the thread that runs the simulation.
final class Sender: @unchecked Sendable {
    let names: [String]
    /// Whether it sends line protocol, and not readings that are decoded already.
    let writesLines: Bool
    /// On its way; or of unknown fate, to be sent again.
    var batch: [Oracle.Sent]?
    var isSending = false
    /// Whether an earlier sending of ``batch`` may have been committed.
    var isInDoubt = false
    /// When ``batch`` was sent last, and whether the machine's clock was in doubt then.
    var sentAt = Timestamp.distantPast
    var wasClockInDoubt = false
    /// When ``batch`` was sent last, by the machine's monotonic clock.
    var sentMonotonic: Int64 = 0
    /// Whether ``batch`` is sent without timestamps; those in it are the times of arrival.
    var isUntimed = false
    /// A change of its series is under way, which it waits for.
    var isPaused = false
    private var last: [String: Timestamp] = [:]
    private var phase: [String: Int] = [:]
    /// Readings that are sent later than newer ones.
    private var withheld: [Oracle.Sent] = []
    /// Acknowledged readings, some of them, to be corrected or repeated.
    private var recent: [Oracle.Sent] = []

    init(names: [String], writesLines: Bool = false) { (self.names, self.writesLines) = (names, writesLines) }

    /// New readings of some of its series, up to `now`.
    func makeBatch(now: Timestamp, _ cadence: (String) -> Int64, _ random: inout Random) -> [Oracle.Sent] {
        var batch: [Oracle.Sent] = []
        for _ in 0..<min(names.count, random.in(1...6)) {
            let name = random.pick(names)
            let step = cadence(name)
            let newest = floorDivide(now.nanoseconds, step)
            let oldest = last[name].map { floorDivide($0.nanoseconds, step) + 1 } ?? newest
            guard oldest <= newest else { continue }
            let count = Int64(random.in(1...6))
            // After a silence, the newest are sent, or everything from the beginning on.
            let from = random.chance(0.7) ? max(oldest, newest - count + 1) : oldest
            for slot in from...min(newest, from + count - 1) {
                let time = Timestamp(
                    nanoseconds: slot * step + Int64(random.below(Int(step))) * (random.chance(0.3) ? 1 : 0))
                guard time <= now else { continue }
                let reading = Oracle.Sent(series: name, timestamp: time, value: value(of: name, &random))
                if random.chance(0.03) { withheld.append(reading) } else { batch.append(reading) }
            }
            last[name] = Timestamp(nanoseconds: min(newest, from + count - 1) * step)
        }
        if random.chance(0.2) { batch.shuffle(with: &random) }
        return batch
    }

    /// Corrections, repetitions, withheld readings, readings from the future, and values that are none.
    func makeOddBatch(now: Timestamp, _ cadence: (String) -> Int64, _ random: inout Random) -> [Oracle.Sent] {
        var batch: [Oracle.Sent] = []
        for _ in 0..<random.in(1...6) {
            switch random.below(6) {
            case 0, 1:
                guard !recent.isEmpty else { continue }
                var reading = random.pick(recent)
                if random.chance(0.7) { reading.value = value(of: reading.series, &random) }
                batch.append(reading)
            case 2:
                guard !withheld.isEmpty else { continue }
                batch.append(withheld.remove(at: random.below(withheld.count)))
            case 3:
                let name = random.pick(names)
                let ahead = Int64(random.pick([1, 60, 290, 310, 3_600, 86_400 * 365])) * WorldSettings.second
                batch.append(
                    Oracle.Sent(
                        series: name, timestamp: now.advanced(byNanoseconds: ahead), value: value(of: name, &random)))
            case 4:
                let name = random.pick(names)
                // A reading of long ago, or of just before the limit of lateness.
                let back = cadence(name) * Int64(random.pick([1, 3, 9, 17, 49, 65, 1_000, 100_000]))
                batch.append(
                    Oracle.Sent(
                        series: name, timestamp: now.advanced(byNanoseconds: -back), value: value(of: name, &random)))
            default:
                let name = random.pick(names)
                let special: [Double] = [.nan, .infinity, -.infinity, 1e30, -1e300, .leastNonzeroMagnitude, -0.0, 0]
                batch.append(Oracle.Sent(series: name, timestamp: now, value: random.pick(special)))
            }
        }
        return batch
    }

    /// Readings whose timestamps are not sent.
    func makeUntimedBatch(now: Timestamp, _ random: inout Random) -> [Oracle.Sent] {
        Set((0..<random.in(1...3)).map { _ in random.pick(names) }).sorted().map { name in
            Oracle.Sent(series: name, timestamp: now, value: value(of: name, &random))
        }
    }

    /// Thousands of readings of one series.
    func makeFlood(now: Timestamp, _ cadence: (String) -> Int64, _ random: inout Random) -> [Oracle.Sent] {
        let name = random.pick(names)
        let count = random.pick([500, 1_500, 4_200])
        // Into one slot, or a history of many.
        let step = random.chance(0.3) ? max(1, cadence(name) / 5_000) : cadence(name) / Int64(random.in(1...3))
        return (0..<count).map { index in
            let time = now.advanced(byNanoseconds: -step * Int64(count - index))
            return Oracle.Sent(series: name, timestamp: time, value: value(of: name, &random))
        }
    }

    /// A batch was acknowledged.
    func note(_ batch: [Oracle.Sent], _ random: inout Random) {
        for reading in batch where reading.value.isFinite && random.chance(0.2) { recent.append(reading) }
        if recent.count > 64 { recent.removeFirst(recent.count - 64) }
    }

    /// The series were removed with all they had.
    func forget(_ removed: Set<String>) {
        recent.removeAll { removed.contains($0.series) }
        withheld.removeAll { removed.contains($0.series) }
    }

    private func value(of name: String, _ random: inout Random) -> Double {
        let step = phase[name, default: 0]
        phase[name] = step + 1
        // A season of 24, some noise, and now and then a value that no forecast expects.
        let season = Double((step % 24) * (24 - step % 24)) / 12
        return random.chance(0.02) ? Double(random.in(-500...500)) : 20 + season + random.fraction()
    }
}

extension Array {
    /// Fisher and Yates.
    fileprivate mutating func shuffle(with random: inout Random) {
        guard count > 1 else { return }
        for index in (1..<count).reversed() { swapAt(index, random.below(index + 1)) }
    }
}

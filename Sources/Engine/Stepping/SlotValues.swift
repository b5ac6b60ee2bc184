import TimeSeries

/// The values of a series' slots in ascending order, without the empty ones: what lags are read from.
///
/// Kept as runs of consecutive slots: a slot costs four bytes, a gap costs a run however long it is, and after a roll-back
/// exactly the values before it are still there.
struct SlotValues: Sendable {
    private struct Run {
        /// Its first slot.
        var slot: Slot
        /// Where the value of that slot lies; the run ends where the next one begins.
        var place: Int
    }

    /// The newest, which nearly every question is about: an array of its own would be one more place to wait for.
    private var newestRun: Run?
    private var olderRuns: [Run] = []
    private var values: [Float] = []

    private var runs: [Run] {
        get { olderRuns + (newestRun.map { [$0] } ?? []) }
        set { (newestRun, olderRuns) = (newValue.last, newValue.dropLast()) }
    }

    /// Asks for what says where the newest values lie.
    @inline(__always)
    func prefetchBeginning() { values.prefetchBeginning() }

    /// Asks for the newest values.
    @inline(__always)
    func prefetchEnd() { values.prefetchEnd() }

    var newest: Slot? { newestRun.map { $0.slot + Slot(values.count - $0.place - 1) } }

    /// The value of `slot`; NaN when it is empty.
    subscript(slot: Slot) -> Float {
        guard let newestRun else { return .nan }
        if slot >= newestRun.slot { return value(at: slot, of: newestRun, to: values.count) }
        let next = olderRuns.firstPlace { $0.slot > slot }
        let end = next < olderRuns.count ? olderRuns[next].place : newestRun.place
        return next == 0 ? .nan : value(at: slot, of: olderRuns[next - 1], to: end)
    }

    private func value(at slot: Slot, of run: Run, to end: Int) -> Float {
        let offset = UInt64(bitPattern: slot &- run.slot)
        return offset < UInt64(end - run.place) ? values[run.place + Int(offset)] : .nan
    }

    /// The oldest entry from `slot` on.
    func first(from slot: Slot) -> (slot: Slot, value: Float)? {
        let place = place(from: slot)
        guard place < values.count, let run = runs.last(where: { $0.place <= place }) else { return nil }
        return (run.slot + Slot(place - run.place), values[place])
    }

    /// The newest `count` entries, or all there are, ascending.
    func suffix(_ count: Int) -> [(slot: Slot, value: Float)] {
        var found: [(slot: Slot, value: Float)] = []
        var end = values.count
        for run in runs.reversed() {
            for place in (run.place..<end).reversed() {
                if found.count == count { return found.reversed() }
                found.append((run.slot + Slot(place - run.place), values[place]))
            }
            end = run.place
        }
        return found.reversed()
    }

    /// Adds a slot newer than all others.
    mutating func append(_ value: Float, at slot: Slot) {
        if newest.map({ $0 + 1 != slot }) ?? true {
            if let newestRun { olderRuns.append(newestRun) }
            newestRun = Run(slot: slot, place: values.count)
        }
        // Doubling would leave half of it empty: as many are kept as the lags take, and no more come.
        if values.count == values.capacity { values.reserveCapacity(values.count + max(8, values.count / 4)) }
        values.append(value)
    }

    /// Forgets every slot after `slot`.
    mutating func truncate(after slot: Slot) {
        guard slot < .max else { return }
        let count = place(from: slot + 1)
        values.removeLast(values.count - count)
        while let run = newestRun, run.place >= count { newestRun = olderRuns.popLast() }
    }

    /// Forgets every slot before `slot`; now and then, so that the cost per slot is constant. Not seldom: with many series
    /// what is forgotten late is the larger part of what they need.
    mutating func prune(before slot: Slot) {
        let dropped = place(from: slot)
        guard dropped > values.count / 20 else { return }
        values.removeFirst(dropped)
        var left = runs
        left.removeFirst(max(0, left.count { $0.place <= dropped } - 1))
        for (index, run) in left.enumerated() {
            let gone = max(0, dropped - run.place)
            left[index] = Run(slot: run.slot + Slot(gone), place: run.place + gone - dropped)
        }
        runs = values.isEmpty ? [] : left
    }

    /// The place of the oldest value from `slot` on; the number of values if there is none.
    private func place(from slot: Slot) -> Int {
        guard let newestRun else { return 0 }
        if slot >= newestRun.slot { return place(of: slot, in: newestRun, to: values.count) }
        let next = olderRuns.firstPlace { $0.slot > slot }
        let end = next < olderRuns.count ? olderRuns[next].place : newestRun.place
        return next == 0 ? 0 : place(of: slot, in: olderRuns[next - 1], to: end)
    }

    private func place(of slot: Slot, in run: Run, to end: Int) -> Int {
        run.place + Int(min(UInt64(bitPattern: slot &- run.slot), UInt64(end - run.place)))
    }
}

extension Float {
    /// The value of a slot as forecasters see it. One beyond 10¹⁸ counts as missing: its square would be beyond float32, and
    /// one such reading would leave infinities in a state for ever. The reading itself is kept and exported.
    init(slotValue: Double) { self = slotValue.magnitude <= 1e18 ? Float(slotValue) : .nan }
}

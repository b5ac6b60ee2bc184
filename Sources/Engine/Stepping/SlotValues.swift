import TimeSeries

/// The values of a series' non-empty slots in ascending order, from which lags are read.
///
/// Stored as runs of consecutive slots: a slot takes four bytes, and a gap of any length takes one run. After a
/// rollback exactly the values before it remain.
struct SlotValues: Sendable {
    private struct Run {
        /// Its first slot.
        var slot: Slot
        /// The index of that slot's value; the run ends where the next one begins.
        var place: Int
    }

    /// The newest run, which nearly every lookup needs; stored inline to save a memory access.
    private var newestRun: Run?
    private var olderRuns: [Run] = []
    private var values: [Float] = []

    private var runs: [Run] {
        get { olderRuns + (newestRun.map { [$0] } ?? []) }
        set { (newestRun, olderRuns) = (newValue.last, newValue.dropLast()) }
    }

    /// Prefetches the array header of the values.
    @inline(__always)
    func prefetchBeginning() { values.prefetchBeginning() }

    /// Prefetches the newest values.
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
        // Doubling would leave half of it unused: the number of values stays at what the lags require.
        if values.count == values.capacity { values.reserveCapacity(values.count + max(8, values.count / 4)) }
        values.append(value)
    }

    /// Removes every slot after `slot`.
    mutating func truncate(after slot: Slot) {
        guard slot < .max else { return }
        let count = place(from: slot + 1)
        values.removeLast(values.count - count)
        while let run = newestRun, run.place >= count { newestRun = olderRuns.popLast() }
    }

    /// Removes every slot before `slot`, but only occasionally, so that the cost per slot is amortized constant.
    ///
    /// The threshold is low, 5 %, because with many series the values not yet removed would take most of the memory.
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

    /// The index of the oldest value from `slot` on; the number of values if there is none.
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
    /// The value of a slot as forecasters see it: NaN, missing, if its magnitude exceeds 10¹⁸.
    ///
    /// Its square would overflow float32, and one such reading would leave infinities in a state forever. The reading
    /// itself is kept and exported.
    init(slotValue: Double) { self = slotValue.magnitude <= 1e18 ? Float(slotValue) : .nan }
}

import Basics
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
        var start: Int
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
    func prefetchHeader() { values.prefetchHeader() }

    /// Prefetches the newest values.
    @inline(__always)
    func prefetchEnd() { values.prefetchEnd() }

    var newest: Slot? { newestRun.map { $0.slot + Slot(values.count - $0.start - 1) } }

    /// The value of `slot`; NaN when it is empty.
    subscript(slot: Slot) -> Float {
        guard let newestRun else { return .nan }
        if slot >= newestRun.slot { return value(at: slot, of: newestRun, to: values.count) }
        let next = olderRuns.partitioningIndex { $0.slot > slot }
        let end = next < olderRuns.count ? olderRuns[next].start : newestRun.start
        return next == 0 ? .nan : value(at: slot, of: olderRuns[next - 1], to: end)
    }

    private func value(at slot: Slot, of run: Run, to end: Int) -> Float {
        let offset = UInt64(bitPattern: slot &- run.slot)
        return offset < UInt64(end - run.start) ? values[run.start + Int(offset)] : .nan
    }

    /// The oldest entry from `slot` on.
    func first(from slot: Slot) -> (slot: Slot, value: Float)? {
        let index = index(from: slot)
        guard index < values.count, let run = runs.last(where: { $0.start <= index }) else { return nil }
        return (run.slot + Slot(index - run.start), values[index])
    }

    /// The newest `count` entries, or all there are, ascending.
    func suffix(_ count: Int) -> [(slot: Slot, value: Float)] {
        var result: [(slot: Slot, value: Float)] = []
        var end = values.count
        for run in runs.reversed() {
            for index in (run.start..<end).reversed() {
                if result.count == count { return result.reversed() }
                result.append((run.slot + Slot(index - run.start), values[index]))
            }
            end = run.start
        }
        return result.reversed()
    }

    /// Adds a slot newer than all others.
    mutating func append(_ value: Float, at slot: Slot) {
        if newest.map({ $0 + 1 != slot }) ?? true {
            if let newestRun { olderRuns.append(newestRun) }
            newestRun = Run(slot: slot, start: values.count)
        }
        // Doubling would leave half of it unused: the number of values stays at what the lags require.
        if values.count == values.capacity { values.reserveCapacity(values.count + max(8, values.count / 4)) }
        values.append(value)
    }

    /// Removes every slot after `slot`.
    mutating func truncate(after slot: Slot) {
        guard slot < .max else { return }
        let count = index(from: slot + 1)
        values.removeLast(values.count - count)
        while let run = newestRun, run.start >= count { newestRun = olderRuns.popLast() }
    }

    /// Removes every slot before `slot`, but only occasionally, so that the cost per slot is amortized constant.
    ///
    /// The threshold is low, 5 %, because with many series the values not yet removed would take most of the memory.
    mutating func prune(before slot: Slot) {
        let dropped = index(from: slot)
        guard dropped > values.count / 20 else { return }
        values.removeFirst(dropped)
        var remaining = runs
        remaining.removeFirst(max(0, remaining.count { $0.start <= dropped } - 1))
        for (index, run) in remaining.enumerated() {
            let removed = max(0, dropped - run.start)
            remaining[index] = Run(slot: run.slot + Slot(removed), start: run.start + removed - dropped)
        }
        runs = values.isEmpty ? [] : remaining
    }

    /// The index of the oldest value from `slot` on; the number of values if there is none.
    private func index(from slot: Slot) -> Int {
        guard let newestRun else { return 0 }
        if slot >= newestRun.slot { return index(of: slot, in: newestRun, to: values.count) }
        let next = olderRuns.partitioningIndex { $0.slot > slot }
        let end = next < olderRuns.count ? olderRuns[next].start : newestRun.start
        return next == 0 ? 0 : index(of: slot, in: olderRuns[next - 1], to: end)
    }

    private func index(of slot: Slot, in run: Run, to end: Int) -> Int {
        run.start + Int(min(UInt64(bitPattern: slot &- run.slot), UInt64(end - run.start)))
    }
}

extension Float {
    /// The value of a slot as forecasters see it: NaN, missing, if its magnitude exceeds 10¹⁸.
    ///
    /// Its square would overflow float32, and one such reading would leave infinities in a state forever. The reading
    /// itself is kept and exported.
    init(slotValue: Double) {
        self = slotValue.magnitude <= 1e18 || PlantedBug.hugeValueCounts.isActive ? Float(slotValue) : .nan
    }
}

import Basics
import Storage
import TimeSeries

/// The slots of one series for which its model did not respond because its plugin process was not available.
///
/// A state is a function of readings, promotions and outages: a slot that was stepped over without an answer is
/// replayed without one. Owned by one shard thread.
struct Outages {
    /// Ascending and disjoint.
    private var ranges: [ClosedRange<Slot>]
    /// Those not yet handed to the writer.
    private var unsaved: [ClosedRange<Slot>] = []

    init(_ ranges: [ClosedRange<Slot>] = []) { self.ranges = ranges.sorted { $0.lowerBound < $1.lowerBound } }

    var hasUnsaved: Bool { !unsaved.isEmpty }

    func contains(_ slot: Slot) -> Bool {
        guard let last = ranges.last, slot <= last.upperBound else { return false }
        return ranges.contains { $0.contains(slot) }
    }

    mutating func add(_ slot: Slot) {
        let index = ranges.firstIndex { $0.upperBound >= slot - 1 } ?? ranges.count
        if index < ranges.count, ranges[index].contains(slot) { return }
        var extended = slot...slot
        if index < ranges.count, ranges[index].upperBound == slot - 1 {
            extended = ranges[index].lowerBound...slot
            ranges[index] = extended
        } else {
            ranges.insert(extended, at: index)
        }
        if unsaved.last?.lowerBound == extended.lowerBound { unsaved.removeLast() }
        unsaved.append(extended)
    }

    /// Drops the outages that no replay reaches any more.
    mutating func prune(through slot: Slot) {
        if let first = ranges.first, first.upperBound <= slot { ranges.removeAll { $0.upperBound <= slot } }
    }

    mutating func drainUnsaved(of series: SeriesID, epoch: Int64) -> [Outage] {
        defer { unsaved = [] }
        return unsaved.map { Outage(series: series, epoch: epoch, slots: $0) }
    }
}

/// Outages on their way from the shards to the writer.
final class OutageBox: Sendable {
    private let waiting = Locked<[Outage]>([])

    func put(_ outages: [Outage]) {
        if !outages.isEmpty { waiting.withLock { $0 += outages } }
    }

    /// Removes and returns all outages for a commit; after a failed one, ``put(_:)`` returns them.
    func drain() -> [Outage] {
        waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}

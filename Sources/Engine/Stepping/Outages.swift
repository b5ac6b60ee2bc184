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

    /// - Parameter stored: in any order; they overlap where a replay after a crash met an outage that had begun later.
    init(_ stored: [ClosedRange<Slot>] = []) {
        ranges = []
        for range in stored.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = ranges.last, range.lowerBound <= last.upperBound, !PlantedBug.overlappingOutages.isActive {
                ranges[ranges.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
    }

    var hasUnsaved: Bool { !unsaved.isEmpty }

    func contains(_ slot: Slot) -> Bool {
        guard let last = ranges.last, slot <= last.upperBound else { return false }
        return ranges.contains { $0.contains(slot) }
    }

    mutating func add(_ slot: Slot) {
        let index = ranges.firstIndex { $0.upperBound >= slot - 1 } ?? ranges.count
        if index < ranges.count, ranges[index].contains(slot) { return }
        var (extended, end) = (slot...slot, index)
        while end < ranges.count, ranges[end].lowerBound <= extended.upperBound + 1 {
            let joined = ranges[end]
            extended =
                min(joined.lowerBound, extended.lowerBound)...max(joined.upperBound, extended.upperBound)
            end += 1
        }
        ranges.replaceSubrange(index..<end, with: [extended])
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

    var isEmpty: Bool { waiting.withLock { $0.isEmpty } }

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

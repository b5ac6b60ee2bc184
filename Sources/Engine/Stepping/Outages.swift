import Basics
import Storage
import TimeSeries

/// The slots of one series that its model gave no answer for, because it lives in a process that was not there.
///
/// A state is a function of readings, promotions and outages: what was stepped over without an answer stays so whenever
/// it is replayed. Owned by one shard thread.
struct Outages {
    /// Ascending, apart from each other.
    private var ranges: [ClosedRange<Slot>]
    /// Those that are not on their way to the database yet.
    private var unsaved: [ClosedRange<Slot>] = []

    init(_ ranges: [ClosedRange<Slot>] = []) { self.ranges = ranges.sorted { $0.lowerBound < $1.lowerBound } }

    var hasUnsaved: Bool { !unsaved.isEmpty }

    func contains(_ slot: Slot) -> Bool {
        guard let last = ranges.last, slot <= last.upperBound else { return false }
        return ranges.contains { $0.contains(slot) }
    }

    mutating func add(_ slot: Slot) {
        let place = ranges.firstIndex { $0.upperBound >= slot - 1 } ?? ranges.count
        if place < ranges.count, ranges[place].contains(slot) { return }
        var grown = slot...slot
        if place < ranges.count, ranges[place].upperBound == slot - 1 {
            grown = ranges[place].lowerBound...slot
            ranges[place] = grown
        } else {
            ranges.insert(grown, at: place)
        }
        if unsaved.last?.lowerBound == grown.lowerBound { unsaved.removeLast() }
        unsaved.append(grown)
    }

    /// Forgets what no replay reaches any more.
    mutating func prune(through slot: Slot) {
        if let first = ranges.first, first.upperBound <= slot { ranges.removeAll { $0.upperBound <= slot } }
    }

    mutating func takeUnsaved(of series: SeriesID, epoch: Int64) -> [Outage] {
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

    /// Takes them for a commit. After one that failed, ``put(_:)`` brings them back.
    func takeAll() -> [Outage] {
        waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}

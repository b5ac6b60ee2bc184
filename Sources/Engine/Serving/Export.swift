import Basics
import Storage
public import TimeSeries

/// The readings of some series, one series after the other, in chunks.
public struct Export {
    private let store: Store
    private var series: ArraySlice<(id: SeriesID, key: SeriesKey)>
    private let range: ClosedRange<Timestamp>
    private let tail: JournalTails
    private var current: (key: SeriesKey, reader: SeriesReader)?

    init(
        store: Store, series: ArraySlice<(id: SeriesID, key: SeriesKey)>, range: ClosedRange<Timestamp>,
        tail: JournalTails
    ) {
        (self.store, self.series, self.range, self.tail) = (store, series, range, tail)
    }

    /// The next chunk of readings of one series; nil at the end.
    ///
    /// - Throws: `CancellationError` if the task was cancelled.
    public mutating func next() throws -> (key: SeriesKey, readings: [Reading])? {
        while true {
            try Task.checkCancellation()
            if let readings = try current?.reader.next(), let key = current?.key { return (key, readings) }
            guard let next = series.popFirst() else { return nil }
            current = (next.key, SeriesReader(store, next.id, in: range, tail: tail[next.id]))
        }
    }
}

extension Engine {
    /// The stored readings of the selected series between two instants, by series, ascending in time.
    public func export(_ selector: SeriesSelector, in range: ClosedRange<Timestamp>) throws -> Export {
        let selected = directory.matching(selector)
        let oldest = Dictionary(keepingFirst: selected.map { ($0.id, range.lowerBound) })
        return Export(store: store, series: selected[...], range: range, tail: try store.journalTail(of: oldest))
    }
}

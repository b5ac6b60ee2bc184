import CMemory
import Storage

/// Asks for the memory of series before they are stepped.
///
/// A series' memory lies in half a dozen places, and waiting for one after the other would be most of what a step of a
/// small model costs. So a few series ahead of the one at work each is asked for in three stages, of which every one reads
/// only what the stage before has brought. It changes nothing but the time.
enum Prefetch {
    /// Series between two stages: enough to hide the way to main memory, few enough to stay in the nearest cache.
    private static let distance = 6

    /// Asks for what comes after the series at `index` of `turn`.
    @inline(__always)
    static func ahead(
        of index: Int, in turn: ArraySlice<Int>, _ series: [SeriesHandle], _ order: ReadingsBySeries,
        _ readings: [PositionedReading]
    ) {
        func due(_ stage: Int) -> SeriesHandle? {
            let place = index + stage * distance
            return place < turn.endIndex ? series[turn[place]] : nil
        }
        due(3)?.prefetch()
        due(2)?.prefetchNamed()
        due(1)?.prefetchValues()
        let next = index + distance
        if next < turn.endIndex { order.forEachReading(of: turn[next]) { readings.prefetch($0) } }
    }
}

extension SeriesState {
    /// Prefetches what the series points to.
    @inline(__always)
    borrowing func prefetchNamed() {
        runningState?.prefetch()
        kept.kept.prefetchBeginning()
        values.prefetchBeginning()
    }

    /// Prefetches what those point to.
    @inline(__always)
    borrowing func prefetchValues() {
        kept.kept.prefetchEnd()
        values.prefetchEnd()
        runningState?.prefetchRows()
    }
}

extension Array {
    /// Asks for the number of elements, which lies before the first, and for the first.
    @inline(__always)
    func prefetchBeginning() {
        withUnsafeBufferPointer { elements in
            if let first = elements.baseAddress { prefetch_bytes(UnsafeRawPointer(first) - 32, 64) }
        }
    }

    /// Asks for an element.
    @inline(__always)
    func prefetch(_ place: Int) {
        withUnsafeBufferPointer { elements in
            if let first = elements.baseAddress { prefetch_bytes(first + place, 1) }
        }
    }

    /// Asks for the last two elements and the room behind them.
    @inline(__always)
    func prefetchEnd() {
        withUnsafeBufferPointer { elements in
            guard let first = elements.baseAddress, elements.count > 1 else { return }
            prefetch_bytes(first + (elements.count - 2), 3 * MemoryLayout<Element>.stride)
        }
    }
}

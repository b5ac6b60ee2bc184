import CMemory
import Storage

/// Prefetches the memory of series before they are stepped.
///
/// The memory of a series is in half a dozen places, and waiting for one after the other would be most of the cost of a
/// step of a small model. So the series a few positions ahead are prefetched in three stages, each of which reads only
/// what the stage before it prefetched. It affects only the running time.
enum Prefetch {
    /// The number of series between two stages: enough to hide the latency of main memory, few enough to stay in the
    /// first-level cache.
    private static let distance = 6

    /// Prefetches what follows the series at `index` of `batch`.
    @inline(__always)
    static func ahead(
        of index: Int, in batch: ArraySlice<Int>, _ series: [SeriesHandle], _ order: ReadingsBySeries,
        _ readings: [PositionedReading]
    ) {
        func upcoming(_ stage: Int) -> SeriesHandle? {
            let position = index + stage * distance
            return position < batch.endIndex ? series[batch[position]] : nil
        }
        upcoming(3)?.prefetch()
        upcoming(2)?.prefetchReferences()
        upcoming(1)?.prefetchValues()
        let next = index + distance
        if next < batch.endIndex { order.forEachReading(of: batch[next]) { readings.prefetch($0) } }
    }
}

extension SeriesState {
    /// Prefetches what the series points to.
    @inline(__always)
    borrowing func prefetchReferences() {
        runningState?.prefetch()
        kept.entries.prefetchHeader()
        values.prefetchHeader()
    }

    /// Prefetches what the memory of ``prefetchReferences()`` points to.
    @inline(__always)
    borrowing func prefetchValues() {
        kept.entries.prefetchEnd()
        values.prefetchEnd()
        runningState?.prefetchRows()
    }
}

extension Array {
    /// Prefetches the array header, which precedes the first element, and the first element.
    @inline(__always)
    func prefetchHeader() {
        withUnsafeBufferPointer { elements in
            if let first = elements.baseAddress { prefetch_bytes(UnsafeRawPointer(first) - 32, 64) }
        }
    }

    /// Prefetches an element.
    @inline(__always)
    func prefetch(_ index: Int) {
        withUnsafeBufferPointer { elements in
            if let first = elements.baseAddress { prefetch_bytes(first + index, 1) }
        }
    }

    /// Prefetches the last two elements and the free slot after them.
    @inline(__always)
    func prefetchEnd() {
        withUnsafeBufferPointer { elements in
            guard let first = elements.baseAddress, elements.count > 1 else { return }
            prefetch_bytes(first + (elements.count - 2), 3 * MemoryLayout<Element>.stride)
        }
    }
}

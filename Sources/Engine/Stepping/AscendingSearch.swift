extension Array {
    /// The first index at which `isReached` holds, for an array partitioned by it.
    ///
    /// - Returns: `count` if it holds for no element.
    @inline(__always)
    func partitioningIndex(_ isReached: (Element) -> Bool) -> Int {
        var (low, high, step) = (0, count, 1)
        // Galloping search from the end: most lookups are among the newest elements, and the others are not in the CPU
        // caches.
        while high > 0 {
            let index = Swift.max(0, high - step)
            guard isReached(self[index]) else {
                low = index + 1
                break
            }
            (high, step) = (index, 2 * step)
        }
        while low < high {
            let middle = (low + high) / 2
            if isReached(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

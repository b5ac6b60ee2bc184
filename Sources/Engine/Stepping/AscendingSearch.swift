extension Array {
    /// The first index at which `isReached` holds, for an array partitioned by it.
    ///
    /// - Returns: `count` if it holds for no element.
    @inline(__always)
    func firstPlace(_ isReached: (Element) -> Bool) -> Int {
        var (low, high, step) = (0, count, 1)
        // Galloping search from the end: most lookups are among the newest elements, and the others are not in the CPU
        // caches.
        while high > 0 {
            let place = Swift.max(0, high - step)
            guard isReached(self[place]) else {
                low = place + 1
                break
            }
            (high, step) = (place, 2 * step)
        }
        while low < high {
            let middle = (low + high) / 2
            if isReached(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

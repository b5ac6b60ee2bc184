extension Array {
    /// The first place where `isReached` holds, given that it holds for all elements after one for which it does.
    ///
    /// - Returns: `count` if it holds nowhere.
    @inline(__always)
    func firstPlace(_ isReached: (Element) -> Bool) -> Int {
        var (low, high, step) = (0, count, 1)
        // Most readings are among the newest, and the others are far from what is in the caches: from the end in growing
        // steps.
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

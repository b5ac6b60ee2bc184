extension Array {
    /// The first place where `isReached` holds, given that it holds for all elements after one for which it does.
    ///
    /// - Returns: `count` if it holds nowhere.
    @inline(__always)
    func firstPlace(_ isReached: (Element) -> Bool) -> Int {
        var high = count
        // Most readings are among the newest.
        for _ in 0..<4 {
            guard high > 0, isReached(self[high - 1]) else { return high }
            high -= 1
        }
        var low = 0
        while low < high {
            let middle = (low + high) / 2
            if isReached(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

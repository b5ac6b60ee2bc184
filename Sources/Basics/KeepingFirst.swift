extension Dictionary {
    /// Makes a dictionary of pairs; where several have the same key, the first counts.
    ///
    /// `init(uniqueKeysWithValues:)` traps on a repeated key, which no data from outside may reach.
    package init(keepingFirst pairs: some Sequence<(Key, Value)>) {
        self.init(pairs, uniquingKeysWith: { first, _ in first })
    }
}

import Recurrent

/// The embeddings of the series.
extension RecipeNetwork {
    /// Gives every series of a large fleet that was not learned from the mean embedding of those that were.
    func spreadEmbedding(of learned: Set<Int>) throws(RecurrentError) {
        guard learned.count < members.count, !learned.isEmpty else { return }
        let mean = meanEmbedding(of: learned.sorted())
        try members.parameter.set((0..<members.count).flatMap { learned.contains($0) ? embedding(of: $0) : mean })
    }

    /// `[embedding]`; never of no series.
    func meanEmbedding(of places: some Collection<Int>) -> [Float] {
        let (width, table) = (sizes.embedding, members.parameter.values)
        return (0..<width).map { column in
            places.reduce(Float(0)) { $0 + table[$1 * width + column] } / Float(max(1, places.count))
        }
    }

    private func embedding(of place: Int) -> [Float] {
        Array(members.parameter.values[place * sizes.embedding..<(place + 1) * sizes.embedding])
    }

    /// A network that begins where `earlier` ended.
    ///
    /// - Parameter rows: by series of this network, its row in `earlier`; nil for a new one, which begins as their mean.
    convenience init(
        _ sizes: NetworkSizes, from earlier: RecipeNetwork, rows: [Int?]
    ) throws(RecurrentError) {
        var random = RandomSource(seed: 0)
        try self.init(sizes, &random)
        for ((_, parameter), (_, old)) in zip(named, earlier.named) where parameter !== members.parameter {
            try parameter.set(old.values)
        }
        let mean = earlier.meanEmbedding(of: 0..<earlier.members.count)
        try members.parameter.set(rows.flatMap { row in row.map { earlier.embedding(of: $0) } ?? mean })
    }
}

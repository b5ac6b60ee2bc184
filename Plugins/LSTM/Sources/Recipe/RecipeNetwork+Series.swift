import Recurrent

/// The embeddings of the series.
extension RecipeNetwork {
    /// Assigns the mean of the learned embeddings to every series of a large group that was not trained on.
    func fillEmbeddings(of learned: Set<Int>) throws(RecurrentError) {
        guard learned.count < members.count, !learned.isEmpty else { return }
        let mean = meanEmbedding(of: learned.sorted())
        try members.parameter.set((0..<members.count).flatMap { learned.contains($0) ? embedding(of: $0) : mean })
    }

    /// The mean embedding, `[embedding]`, of the series at `rows`, which must not be empty.
    func meanEmbedding(of rows: some Collection<Int>) -> [Float] {
        let (width, table) = (sizes.embedding, members.parameter.values)
        return (0..<width).map { column in
            rows.reduce(Float(0)) { $0 + table[$1 * width + column] } / Float(max(1, rows.count))
        }
    }

    private func embedding(of row: Int) -> [Float] {
        Array(members.parameter.values[row * sizes.embedding..<(row + 1) * sizes.embedding])
    }

    /// Creates a network that starts from the weights of `earlier`.
    ///
    /// - Parameter rows: for each series of this network, its row in `earlier`; nil for a new one, which starts from
    ///   their mean.
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

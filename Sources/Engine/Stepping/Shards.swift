import TimeSeries

/// All shards; a series belongs to the same one for as long as the daemon runs.
struct Shards: Sendable {
    let all: [Shard]

    /// The maximum number of series in one question to a shard: between two questions the shard steps readings and
    /// answers others.
    private static let seriesPerQuestion = 512

    var count: Int { all.count }

    /// The shard that owns a series.
    subscript(id: SeriesID) -> Shard { all[index(of: id)] }

    /// The index of the shard that owns a series.
    func index(of id: SeriesID) -> Int { all.count == 1 ? 0 : Int(id.rawValue.magnitude % UInt64(all.count)) }

    /// Sends each shard a message about its own series; shards that own none of `ids` get none.
    func tell(about ids: some Collection<SeriesID>, _ message: ([SeriesID]) -> ShardMessage) {
        guard !ids.isEmpty else { return }
        for (shard, part) in zip(all, parts(of: ids)) where !part.isEmpty { shard.tell(message(part)) }
    }

    /// `ids` by the shard that owns them.
    private func parts(of ids: some Collection<SeriesID>) -> [[SeriesID]] {
        var parts: [[SeriesID]] = Array(repeating: [], count: all.count)
        for id in ids { parts[index(of: id)].append(id) }
        return parts
    }

    // MARK: Questions

    /// Runs `question` on the thread of the shard that owns `id`, without waiting for steps.
    func ask<Answer: Sendable>(
        about id: SeriesID, _ question: @escaping @Sendable (ShardView) -> Answer
    ) async throws -> Answer {
        try await self[id].ask(about: [], question)
    }

    /// Runs `question` on each shard's thread, one shard after the other, after all messages sent before.
    func askAll<Answer: Sendable>(_ question: @escaping @Sendable (ShardView) -> Answer) async throws -> [Answer] {
        var answers: [Answer] = []
        for shard in all { answers.append(try await shard.ask(about: [], question)) }
        return answers
    }

    /// Asks about many series, several hundred at a time.
    ///
    /// - Parameter areCurrent: whether each series must first step over everything that was committed before.
    /// - Returns: the answers by series; series without one are left out.
    /// - Throws: `CancellationError` between two questions.
    func askEach<Answer: Sendable>(
        _ series: [SeriesID], areCurrent: Bool,
        _ question: @escaping @Sendable (ShardView, SeriesID) -> Answer?
    ) async throws -> [SeriesID: Answer] {
        var answers: [SeriesID: Answer] = [:]
        for (shard, part) in zip(all, parts(of: series)) {
            var rest = part[...]
            while !rest.isEmpty {
                try Task.checkCancellation()
                let batch = rest.prefix(Self.seriesPerQuestion)
                rest = rest.dropFirst(batch.count)
                let replies = try await shard.ask(about: areCurrent ? Array(batch) : []) { view in
                    batch.map { ($0, question(view, $0)) }
                }
                for (id, answer) in replies { answers[id] = answer }
            }
        }
        return answers
    }
}

extension Shard {
    /// Runs `question` on the shard's thread once `series` have stepped over everything that was committed before.
    func ask<Answer: Sendable>(
        about series: [SeriesID], _ question: @escaping @Sendable (ShardView) -> Answer
    ) async throws -> Answer {
        try await mailbox.call { reply in .ask(series) { reply(.success(question($0))) } }
    }
}

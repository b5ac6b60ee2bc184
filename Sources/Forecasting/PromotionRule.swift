import Basics

/// Decides, series by series, which contender serves after a contest.
public struct PromotionRule: Sendable {
    /// The fraction by which a challenger's loss must be below the incumbent's: 0.01 is one percent.
    public var margin: Double

    public init(margin: Double) { self.margin = margin }

    /// The name of the winner.
    ///
    /// The incumbent stays unless the best challenger beats it by the margin. A contender whose score is missing or not
    /// finite cannot win; an incumbent without a finite score loses to any contender that has one.
    ///
    /// - Parameter scores: the scores, by the contender's name.
    public func winner(incumbent: String, scores: [String: SeriesScore]) -> String {
        let finite = scores.filter { $0.value.isFinite || PlantedBug.unscoredWins.isActive }
        let challenger = finite.filter { $0.key != incumbent }
            .min { ($0.value.pinball, $0.key) < ($1.value.pinball, $1.key) }
        guard let challenger else { return incumbent }
        guard let standing = finite[incumbent] else { return challenger.key }
        if PlantedBug.unscoredWins.isActive, !challenger.value.isFinite { return challenger.key }
        return challenger.value.pinball < standing.pinball * (1 - margin) ? challenger.key : incumbent
    }
}

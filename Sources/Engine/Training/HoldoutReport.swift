import Forecasting

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The scores of a training run as they are stored with the version: means over series, by contender.
public struct HoldoutReport: Codable, Sendable {
    public struct Row: Codable, Sendable {
        /// The method, with the version's number for an existing version.
        public var contender: String
        public var pinball: Double
        public var mase: Double
        public var series: Int
        /// The number of series on which it was the best.
        public var wins: Int
    }

    public var metrics: [String: Double]
    public var holdout: [Row]

    init(_ result: TrainingResult, _ preparation: TrainingPreparation, method: String) {
        metrics = result.metrics.filter(\.value.isFinite)
        let names = result.scores.keys.sorted()
        holdout = names.map { name in
            let label = preparation.versions[name].map { "\($0.version.method) \(name)" } ?? "\(method) (new)"
            let scores = (result.scores[name] ?? []).compactMap { $0 }.filter(\.isFinite)
            let wins = preparation.request.columns.indices.count { index in
                // The child's lists may be shorter than they should.
                let row = names.compactMap { other in
                    (result.scores[other]?.dropFirst(index).first ?? nil).map { (other, $0.pinball) }
                }
                return row.min { $0.1 < $1.1 }?.0 == name
            }
            let count = Double(max(1, scores.count))
            return Row(
                contender: label, pinball: scores.map(\.pinball).reduce(0, +) / count,
                mase: scores.map(\.mase).reduce(0, +) / count, series: scores.count, wins: wins)
        }
    }

    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// The report that a version was stored with; nil for a version without training.
    public static func of(_ metrics: String) -> HoldoutReport? {
        try? JSONDecoder().decode(HoldoutReport.self, from: Data(metrics.utf8))
    }
}

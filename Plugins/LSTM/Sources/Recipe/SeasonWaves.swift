import LinearARForecaster
import Recurrent

/// The sine and cosine of the first three harmonics of both seasons, tabulated for every phase.
struct SeasonWaves: Sendable {
    /// The number of values: six for each season.
    let count: Int
    private let short: [Float]
    private let long: [Float]
    private let seasons: Seasonality

    init(_ seasons: Seasonality) {
        self.seasons = seasons
        short = Self.table(seasons.short)
        long = Self.table(seasons.long)
        count = (seasons.short > 0 ? 6 : 0) + (seasons.long > 0 ? 6 : 0)
    }

    private static func table(_ season: Int) -> [Float] {
        let turns = (0..<max(0, season)).flatMap { phase in
            (1...3).flatMap { harmonic -> [Float] in
                let turn = Float(harmonic * phase % season) / Float(season)
                return [turn, turn + 0.25]
            }
        }
        return Kernels.best.sin2pi(turns)
    }

    /// Writes the waves `lead` slots after the given phases.
    func write(_ shortPhase: Int, _ longPhase: Int, lead: Int, to out: UnsafeMutablePointer<Float>) {
        var out = out
        if seasons.short > 0 {
            let start = (shortPhase + lead) % seasons.short * 6
            for index in 0..<6 { out[index] = short[start + index] }
            out += 6
        }
        if seasons.long > 0 {
            let start = (longPhase + lead) % seasons.long * 6
            for index in 0..<6 { out[index] = long[start + index] }
        }
    }
}

import Forecasting
import Glibc
import Recurrent

extension PlainModel: ExplainableModel {
    func findings(of steps: [AdvanceBatch]) -> [StateFinding] {
        (0..<shape.layers).flatMap { layer in
            CellExplanation(
                model: self, h: layer * 2 * shape.units, units: shape.units,
                suffix: shape.layers > 1 ? ", layer \(layer + 1)" : ""
            ).findings(of: steps)
        }
    }
}

extension RecipeModel: ExplainableModel {
    func findings(of steps: [AdvanceBatch]) -> [StateFinding] {
        recurrentStates.flatMap { name, offset in
            CellExplanation(
                model: self, h: offset, units: units, suffix: recurrentStates.count > 1 ? ", \(name)" : ""
            ).findings(of: steps)
        }
    }
}

/// Findings about `h`, `c` and the gates of a series, for one LSTM layer whose `h` starts at offset `h` in the state,
/// followed by its `c`.
///
/// The gates are not part of the state, but the step is a function of it, `c' = f ⊙ c + i ⊙ g` and `h' = o ⊙ tanh(c')`,
/// so they are recovered by stepping modified copies: `f` is the change of `c'` when `c` increases by one, and `o` is
/// `h' / tanh(c')`.
struct CellExplanation {
    let model: any ForecastModel
    let h: Int
    let units: Int
    let suffix: String

    func findings(of steps: [AdvanceBatch]) -> [StateFinding] {
        let gates = steps.map { self.gates(of: $0) }
        return (gates.last.map { norms($0) + saturation(gates) } ?? []).filter(\.value.isFinite)
    }

    /// The values of one step, `[units]` each: hidden and cell state after it, forget and output gates.
    private struct Gates {
        var h: [Float]
        var c: [Float]
        var f: [Float]
        var o: [Float]
    }

    private func gates(of step: AdvanceBatch) -> Gates {
        let (stateCount, c) = (model.stateCount, h + units)
        var probe = AdvanceBatch(count: 3, model: model, forecastCount: 0, wantsForecasts: false)
        // Three copies: c unchanged, all zeros, all ones.
        probe.states = step.states + step.states + step.states
        for unit in 0..<units {
            probe.states[stateCount + c + unit] = 0
            probe.states[2 * stateCount + c + unit] = 1
        }
        for row in 0..<3 {
            probe.series[row] = step.series[0]
            probe.values[row] = step.values[0]
            probe.calendar[row] = step.calendar[0]
        }
        probe.lagged = step.lagged + step.lagged + step.lagged
        model.advance(&probe)
        let states = probe.states
        let after = (0..<units).map { states[c + $0] }
        let hidden = (0..<units).map { states[h + $0] }
        let tanhC = Kernels.best.apply(.tanh, to: after)
        return Gates(
            h: hidden, c: after,
            f: (0..<units).map { states[2 * stateCount + c + $0] - states[stateCount + c + $0] },
            o: (0..<units).map { abs(tanhC[$0]) > 1e-4 ? hidden[$0] / tanhC[$0] : .nan })
    }

    private func norms(_ gates: Gates) -> [StateFinding] {
        func norm(_ values: [Float]) -> Double {
            let squares = values.reduce(0.0) { $0 + Double($1) * Double($1) }
            return (squares / Double(max(1, values.count))).squareRoot()
        }
        return [
            StateFinding(
                "hidden state h\(suffix)", norm(gates.h), "root mean square over the units: 0 is inactive, 1 saturated"),
            StateFinding(
                "cell state c\(suffix)", norm(gates.c), "root mean square; above about 2, tanh hides further growth"),
        ]
    }

    private func saturation(_ steps: [Gates]) -> [StateFinding] {
        func percentage(_ gate: (Gates) -> [Float], _ isCounted: (Float) -> Bool) -> Double {
            let values = steps.flatMap(gate).filter(\.isFinite)
            return 100 * Double(values.count(where: isCounted)) / Double(max(1, values.count))
        }
        // The mean forget gate of each unit; after n slots, f to the n of c remains.
        let forget = (0..<units).map { unit in
            steps.reduce(0) { $0 + $1.f[unit] } / Float(steps.count)
        }
        let halves = Self.halfLives(forget)
        return [
            StateFinding(
                "forget gates near 1\(suffix)", percentage(\.f) { $0 > 0.95 }, unit: "%",
                "above 0.95 over the newest steps: these retain their content"),
            StateFinding(
                "forget gates near 0\(suffix)", percentage(\.f) { $0 < 0.05 }, unit: "%",
                "below 0.05: these forget immediately"),
            StateFinding(
                "output gates saturated\(suffix)", percentage(\.o) { $0 < 0.05 || $0 > 0.95 }, unit: "%",
                "below 0.05 or above 0.95: these are switches"),
            StateFinding(
                "memory, median unit\(suffix)", halves[halves.count / 2], unit: "slots",
                "the number of slots after which half of a cell's content is forgotten"),
            StateFinding(
                "memory, longest unit\(suffix)", halves[halves.count - 1], unit: "slots",
                "the same for the unit with the longest memory"),
        ]
    }

    /// The half-lives in slots, ascending: the n for which `f` to the n is one half. Never empty; at most a million.
    private static func halfLives(_ forget: [Float]) -> [Double] {
        let bounded = forget.map { min(max($0, 1e-6), 1 - 7e-7) }
        // libm is accurate enough here: the result is only displayed and never enters a state.
        return bounded.map { log(0.5) / log(Double($0)) }.sorted()
    }
}

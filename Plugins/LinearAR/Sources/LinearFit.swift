import Forecasting
import Recurrent

/// Fits the linear base of one group: the penalty, and for each series whether its own weights or the shared ones
/// forecast better, are chosen on the last 15% of the series.
struct LinearFit {
    static let penalties = [1e-4, 1e-3, 1e-2, 1e-1, 1]
    static let validation = 0.15
    /// More series than this share their weights: own ones would cost memory and time for little.
    static let mostOwn = 64
    /// A series needs so many rows for weights of its own.
    static let leastRows = 300
    /// Beyond so many rows in all, every second, third, … is taken.
    static let mostRows = 200_000

    private let window: LagWindow
    private let horizon: Int
    private let series: [FilledSeries]
    private let thinning: Int
    private let ownsWeights: Bool

    init(_ series: [FilledSeries], window: LagWindow, horizon: Int, ownsWeights: Bool) {
        (self.series, self.window, self.horizon) = (series, window, horizon)
        self.ownsWeights = ownsWeights && series.count > 1 && series.count <= Self.mostOwn
        thinning = 1 + series.reduce(0) { $0 + $1.count } / Self.mostRows
    }

    /// What is known of one series: its rows before the cut and all of them, where it may have weights of its own, and those
    /// to validate on.
    private struct Part {
        var before: NormalEquations?
        var all: NormalEquations?
        var rows = 0
        var validation: Rows
    }

    /// x `[count][lags]` and y `[count][horizon]`.
    struct Rows {
        var x: [Float] = []
        var y: [Float] = []
        var count = 0
    }

    struct Result {
        var shared: LinearWeights
        /// By series; nil where the shared weights are better.
        var own: [LinearWeights?]
        /// By series: residuals of the validation rows, `[rows][horizon]`, in units of the scale.
        var residuals: [[Float]]
    }

    func run() throws -> Result {
        var before = NormalEquations(lags: window.count, horizon: horizon)
        var after = before
        let parts = series.map { part($0, &before, &after) }
        let candidates = Self.penalties.map { (lambda: $0, weights: before.solved(lambda: $0)) }
        var best = (error: Double.infinity, lambda: Self.penalties[1], weights: candidates[1].weights)
        for (lambda, weights) in candidates {
            let errors = try parts.compactMap { try error(weights, $0.validation) }
            let mean = errors.reduce(0, +) / Double(max(1, errors.count))
            if !errors.isEmpty, mean < best.error { best = (mean, lambda, weights) }
        }
        let shared = (before + after).solved(lambda: best.lambda)
        var result = Result(shared: shared, own: [], residuals: [])
        for part in parts {
            let own = ownsWeights && part.rows > Self.leastRows ? try ownChoice(part, against: best.weights) : nil
            result.own.append(own.flatMap { part.all?.solved(lambda: $0.lambda) })
            result.residuals.append(try residuals(own?.weights ?? best.weights, part.validation))
        }
        return result
    }

    private func ownChoice(
        _ part: Part, against shared: LinearWeights
    ) throws -> (lambda: Double, weights: LinearWeights)? {
        guard let before = part.before, var least = try error(shared, part.validation) else { return nil }
        var choice: (Double, LinearWeights)?
        for lambda in Self.penalties {
            let weights = before.solved(lambda: lambda)
            guard let found = try error(weights, part.validation), found < least else { continue }
            (least, choice) = (found, (lambda, weights))
        }
        return choice
    }

    // MARK: Rows

    /// Adds the series' rows to `before` and `after`, those of all series.
    private func part(
        _ series: FilledSeries, _ before: inout NormalEquations, _ after: inout NormalEquations
    ) -> Part {
        let first = window.lags.last ?? 0
        let end = series.count - horizon
        let cut = first + Int((1 - Self.validation) * Double(max(0, end - first)))
        // Targets of rows before the cut must not be those of rows to validate on, where there are enough.
        let start = end - cut - horizon >= 8 ? cut + horizon : cut
        var part = Part(validation: Rows())
        guard first < end else { return part }
        let (early, count) = equations(series, first..<max(first, cut))
        let late = equations(series, max(first, cut)..<end).0
        before += early
        after += late
        part.rows = count
        // A large fleet has no room for the sums of every series.
        if ownsWeights { (part.before, part.all) = (early, early + late) }
        part.validation = rows(series, max(first, start)..<end)
        return part
    }

    private func equations(_ series: FilledSeries, _ range: Range<Int>) -> (NormalEquations, Int) {
        let product = CrossProduct(depth: window.count + 1, columns: window.count + 1 + horizon)
        let batch = 168
        var buffer = [Float](repeating: 0, count: batch * product.stride)
        var (filled, all) = (0, 0)
        buffer.withUnsafeMutableBufferPointer { buffer in
            series.values.withUnsafeBufferPointer { values in
                guard let buffer = buffer.baseAddress, let values = values.baseAddress else { return }
                for index in Swift.stride(from: range.lowerBound, to: range.upperBound, by: thinning)
                where isScored(series, index) {
                    let x = buffer + filled * product.stride
                    window.read(values, at: index, scale: series.scale, to: x)
                    x[window.count] = 1
                    target(values, index, series.scale, x + window.count + 1)
                    (filled, all) = (filled + 1, all + 1)
                    if filled == batch {
                        product.add(rows: filled, buffer)
                        filled = 0
                    }
                }
                if filled > 0 { product.add(rows: filled, buffer) }
            }
        }
        return (NormalEquations(lags: window.count, horizon: horizon, sums: product.sums), all)
    }

    private func rows(_ series: FilledSeries, _ range: Range<Int>) -> Rows {
        var rows = Rows()
        let indices = Swift.stride(from: range.lowerBound, to: range.upperBound, by: thinning)
            .filter { isScored(series, $0) }
        rows.count = indices.count
        rows.x = [Float](repeating: 0, count: indices.count * window.count)
        rows.y = [Float](repeating: 0, count: indices.count * horizon)
        rows.x.withUnsafeMutableBufferPointer { x in
            rows.y.withUnsafeMutableBufferPointer { y in
                series.values.withUnsafeBufferPointer { values in
                    guard let x = x.baseAddress, let y = y.baseAddress, let values = values.baseAddress else { return }
                    for (row, index) in indices.enumerated() {
                        window.read(values, at: index, scale: series.scale, to: x + row * window.count)
                        target(values, index, series.scale, y + row * horizon)
                    }
                }
            }
        }
        return rows
    }

    private func target(
        _ values: UnsafePointer<Float>, _ index: Int, _ scale: Float, _ y: UnsafeMutablePointer<Float>
    ) {
        for lead in 1...horizon {
            y[lead - 1] = min(
                max((values[index + lead] - values[index]) / scale, -LagWindow.largest), LagWindow.largest)
        }
    }

    /// Whether every target of the row is known.
    private func isScored(_ series: FilledSeries, _ index: Int) -> Bool {
        series.isKnown[index + 1...index + horizon].allSatisfy { $0 }
    }

    // MARK: Errors

    private func residuals(_ weights: LinearWeights, _ rows: Rows) throws -> [Float] {
        guard rows.count > 0 else { return [] }
        let cell = try weights.cell()
        var out = [Float](repeating: 0, count: rows.y.count)
        rows.x.withUnsafeBufferPointer { x in
            out.withUnsafeMutableBufferPointer { out in
                guard let x = x.baseAddress, let out = out.baseAddress else { return }
                cell.forward(rows: rows.count, x: x, xStride: window.count, y: out)
            }
        }
        for place in out.indices { out[place] = rows.y[place] - out[place] }
        return out
    }

    /// The mean absolute error; nil without rows.
    private func error(_ weights: LinearWeights, _ rows: Rows) throws -> Double? {
        let residuals = try residuals(weights, rows)
        guard !residuals.isEmpty else { return nil }
        return residuals.reduce(0.0) { $0 + Double($1.magnitude) } / Double(residuals.count)
    }
}

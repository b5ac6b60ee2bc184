import Forecasting
import Recurrent

/// Fits the linear base of one group.
///
/// The penalty, and for each series the choice between its own weights and the shared ones, are made on the last 15% of
/// the series.
struct LinearFit {
    static let penalties = [1e-4, 1e-3, 1e-2, 1e-1, 1]
    static let validation = 0.15
    /// Groups with more series share their weights: individual ones would cost memory and time for little benefit.
    static let maximumOwn = 64
    /// The number of rows above which a series may have weights of its own.
    static let minimumRows = 300
    /// With more rows in total, only every second, third, … row is used.
    static let maximumRows = 200_000

    private let window: LagWindow
    private let horizon: Int
    private let series: [FilledSeries]
    private let thinning: Int
    private let ownsWeights: Bool

    init(_ series: [FilledSeries], window: LagWindow, horizon: Int, ownsWeights: Bool) {
        (self.series, self.window, self.horizon) = (series, window, horizon)
        self.ownsWeights = ownsWeights && series.count > 1 && series.count <= Self.maximumOwn
        thinning = 1 + series.reduce(0) { $0 + $1.count } / Self.maximumRows
    }

    /// The sums of one series: its rows before the split and all of them, if it may have weights of its own, and its
    /// validation rows.
    private struct SeriesSums {
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
        /// By series; nil if the shared weights are better.
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
            let own = ownsWeights && part.rows > Self.minimumRows ? try ownWeights(part, against: best.weights) : nil
            result.own.append(own.flatMap { part.all?.solved(lambda: $0.lambda) })
            result.residuals.append(try residuals(own?.weights ?? best.weights, part.validation))
        }
        return result
    }

    private func ownWeights(
        _ part: SeriesSums, against shared: LinearWeights
    ) throws -> (lambda: Double, weights: LinearWeights)? {
        guard let before = part.before, var smallest = try error(shared, part.validation) else { return nil }
        var choice: (Double, LinearWeights)?
        for lambda in Self.penalties {
            let weights = before.solved(lambda: lambda)
            guard let candidate = try error(weights, part.validation), candidate < smallest else { continue }
            (smallest, choice) = (candidate, (lambda, weights))
        }
        return choice
    }

    // MARK: Rows

    /// Adds the series' rows to `before` and `after`, the sums over all series.
    private func part(
        _ series: FilledSeries, _ before: inout NormalEquations, _ after: inout NormalEquations
    ) -> SeriesSums {
        let first = window.lags.last ?? 0
        let end = series.count - horizon
        let split = first + Int((1 - Self.validation) * Double(max(0, end - first)))
        // The targets of rows before the split must not overlap with validation rows, if there are enough of them.
        let start = end - split - horizon >= 8 ? split + horizon : split
        var part = SeriesSums(validation: Rows())
        guard first < end else { return part }
        let (early, count) = equations(series, first..<max(first, split))
        let late = equations(series, max(first, split)..<end).0
        before += early
        after += late
        part.rows = count
        // With many series there is not enough memory for the sums of each.
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

    /// Whether all targets of the row are known.
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
        for index in out.indices { out[index] = rows.y[index] - out[index] }
        return out
    }

    /// The mean absolute error; nil without rows.
    private func error(_ weights: LinearWeights, _ rows: Rows) throws -> Double? {
        let residuals = try residuals(weights, rows)
        guard !residuals.isEmpty else { return nil }
        return residuals.reduce(0.0) { $0 + Double($1.magnitude) } / Double(residuals.count)
    }
}

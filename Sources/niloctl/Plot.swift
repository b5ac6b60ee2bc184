import ControlInterface

/// A forecast as a picture in braille: history, median and the band between the outermost quantiles.
struct Plot {
    let forecast: Forecast
    /// In characters.
    let width: Int
    let height: Int

    init(_ forecast: Forecast, width: Int = 76, height: Int = 14) {
        (self.forecast, self.width, self.height) = (forecast, width, height)
    }

    var text: String {
        let history = forecast.history.suffix(forecast.leads.count * 2).map { Double($0.value) }
        let lows = forecast.leads.map { Double($0.values.first ?? .nan) }
        let highs = forecast.leads.map { Double($0.values.last ?? .nan) }
        let middle = (forecast.quantiles.count - 1) / 2
        let medians = forecast.leads.map { Double($0.values.indices.contains(middle) ? $0.values[middle] : .nan) }
        let all = (history + lows + highs).filter(\.isFinite)
        guard let low = all.min(), let high = all.max() else { return "nothing to draw yet\n" }
        var canvas = Canvas(
            width: width - 12, height: height, low: low, high: high, steps: history.count + medians.count)
        for (place, value) in history.enumerated() { canvas.dot(place, value) }
        for place in medians.indices {
            canvas.band(history.count + place, lows[place], highs[place])
            canvas.dot(history.count + place, medians[place])
        }
        return title + canvas.text(now: history.count) + axis(history.count)
    }

    private var title: String {
        "\(forecast.series)   \(forecast.forecaster): \(forecast.method), version \(forecast.modelVersion)\(forecast.stale ? ", stale" : "")\n"
    }

    private func axis(_ past: Int) -> String {
        func span(_ steps: Int) -> String {
            let seconds = Double(steps) * forecast.cadenceSeconds
            return seconds < 120
                ? "\(short(seconds, digits: 3)) s"
                : seconds < 7_200 ? "\(short(seconds / 60, digits: 3)) min" : "\(short(seconds / 3600, digits: 3)) h"
        }
        let left = "-\(span(past))"
        let right = "+\(span(forecast.leads.count))"
        let inner = width - 12
        let now = max(left.count + 1, inner * past / max(1, past + forecast.leads.count))
        let gap = String(repeating: " ", count: max(1, now - left.count))
        let rest = String(repeating: " ", count: max(1, inner - now - 3 - right.count))
        return String(repeating: " ", count: 11) + left + gap + "now" + rest + right + "\n"
    }
}

/// Dots of braille: two columns and four rows in a character (Unicode U+2800).
private struct Canvas {
    private let width: Int
    private let height: Int
    private let low: Double
    private let high: Double
    private let steps: Int
    private var cells: [UInt32]

    init(width: Int, height: Int, low: Double, high: Double, steps: Int) {
        let margin = high > low ? (high - low) * 0.03 : max(abs(high), 1) * 0.01
        (self.width, self.height, self.low, self.high) = (width, height, low - margin, high + margin)
        self.steps = max(2, steps)
        cells = [UInt32](repeating: 0, count: width * height)
    }

    private static let bits: [[UInt32]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]

    private func x(_ step: Int) -> Int { step * (2 * width - 1) / (steps - 1) }
    private func y(_ value: Double) -> Int { Int((high - value) / (high - low) * Double(4 * height - 1)) }

    mutating func dot(_ step: Int, _ value: Double) {
        guard value.isFinite else { return }
        set(x(step), y(value))
    }

    /// Every other dot between two values, so that the median stays visible inside.
    mutating func band(_ step: Int, _ from: Double, _ to: Double) {
        guard from.isFinite, to.isFinite, from <= to else { return }
        let column = x(step)
        for row in y(to)...y(from) where row == y(to) || row == y(from) || (row + column) % 3 == 0 { set(column, row) }
    }

    private mutating func set(_ column: Int, _ row: Int) {
        guard (0..<2 * width).contains(column), (0..<4 * height).contains(row) else { return }
        cells[row / 4 * width + column / 2] |= Self.bits[column % 2][row % 4]
    }

    func text(now: Int) -> String {
        (0..<height).map { row in
            let line = (0..<width).map { column in
                let bits = cells[row * width + column]
                if bits == 0 { return column == x(now) / 2 ? "┊" : " " }
                return UnicodeScalar(0x2800 + bits).map { String(Character($0)) } ?? " "
            }
            let value = high - (high - low) * (Double(row) + 0.5) / Double(height)
            let label = row % 3 == 0 ? short(value, digits: 4) : ""
            return String(repeating: " ", count: max(0, 10 - label.count)) + label + "│" + line.joined() + "\n"
        }.joined()
    }
}

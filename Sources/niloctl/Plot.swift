import ControlInterface

/// Draws a forecast in braille: history, median and the band between the outermost quantiles.
struct Plot {
    let forecast: Forecast
    /// In characters, labels included.
    private let width: Int
    private let height: Int
    private let isColoured: Bool

    /// A plot that fits into `terminal`.
    init(_ forecast: Forecast, in terminal: Terminal, isColoured: Bool) {
        self.forecast = forecast
        self.isColoured = isColoured
        width = min(max(terminal.columns - 4, 36), 196)
        height = min(max(terminal.rows - 4, 6), 14)
    }

    private static let labelWidth = 12
    /// The minimum number of slots of history, however short the horizon is.
    private static let minimumHistory = 48

    var text: String {
        let past = forecast.history.suffix(max(Self.minimumHistory, forecast.leads.count * 2))
        let history = past.map { Double($0.value) }
        let lows = forecast.leads.map { Double($0.values.first ?? .nan) }
        let highs = forecast.leads.map { Double($0.values.last ?? .nan) }
        let middle = (forecast.quantiles.count - 1) / 2
        let medians = forecast.leads.map { Double($0.values.indices.contains(middle) ? $0.values[middle] : .nan) }
        let all = (history + lows + highs).filter(\.isFinite)
        guard let low = all.min(), let high = all.max() else { return "nothing to draw yet\n" }
        var canvas = Canvas(
            width: width - Self.labelWidth, height: height, low: low, high: high, steps: history.count + medians.count)
        canvas.line(from: 0, history, .history)
        canvas.band(from: history.count, lows, highs)
        canvas.line(from: history.count, medians, .median)
        return title + canvas.text(now: history.count, isColoured: isColoured) + axis(history.count)
    }

    private var title: String {
        let stale = forecast.stale ? ", stale" : ""
        let text =
            "\(forecast.series)   \(forecast.forecaster): \(forecast.method), version \(forecast.modelVersion)\(stale)"
        return text.visibleLine.prefix(width) + "\n"
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
        let inner = width - Self.labelWidth
        let now = max(left.count + 1, inner * past / max(1, past + forecast.leads.count))
        let gap = String(repeating: " ", count: max(1, now - left.count))
        let rest = String(repeating: " ", count: max(1, inner - now - 3 - right.count))
        return String(repeating: " ", count: Self.labelWidth - 1) + left + gap + "now" + rest + right + "\n"
    }
}

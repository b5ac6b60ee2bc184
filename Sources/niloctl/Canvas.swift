/// A drawing of braille dots, two columns and four rows per character (Unicode U+2800).
struct Canvas {
    /// What a dot belongs to; if two share a character, the greater determines the colour.
    enum Ink: UInt8 { case nothing, band, history, median }

    private let width: Int
    private let height: Int
    private let low: Double
    private let high: Double
    private let steps: Int
    private var cells: [UInt32]
    private var inks: [UInt8]

    init(width: Int, height: Int, low: Double, high: Double, steps: Int) {
        let margin = high > low ? (high - low) * 0.03 : max(abs(high), 1) * 0.01
        (self.width, self.height, self.low, self.high) = (width, height, low - margin, high + margin)
        self.steps = max(2, steps)
        cells = [UInt32](repeating: 0, count: width * height)
        inks = [UInt8](repeating: 0, count: width * height)
    }

    private static let bits: [[UInt32]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]

    private func x(_ step: Int) -> Int { step * (2 * width - 1) / (steps - 1) }
    private func y(_ value: Double) -> Int {
        Int(max(0, min(1, (high - value) / (high - low))) * Double(4 * height - 1))
    }

    /// Draws a line through the values of consecutive steps; a missing value breaks it.
    mutating func line(from step: Int, _ values: [Double], _ ink: Ink) {
        for (index, value) in values.enumerated() where value.isFinite {
            let next = index + 1 < values.count && values[index + 1].isFinite ? values[index + 1] : value
            for (column, part) in columns(of: step + index) {
                let (low, high) = (value + (next - value) * part.lowerBound, value + (next - value) * part.upperBound)
                for row in min(y(low), y(high))...max(y(low), y(high)) { set(column, row, ink) }
            }
        }
    }

    /// The columns from a step to the next, and which fraction of the distance each covers.
    private func columns(of step: Int) -> [(column: Int, part: ClosedRange<Double>)] {
        let (start, end) = (x(step), max(x(step + 1), x(step) + 1))
        let count = Double(end - start)
        return (start..<end).map { ($0, Double($0 - start) / count...Double($0 - start + 1) / count) }
    }

    /// Draws some of the dots between two lines, so that what lies inside stays visible.
    mutating func band(from step: Int, _ lows: [Double], _ highs: [Double]) {
        for index in 0..<min(lows.count, highs.count) {
            let next = min(index + 1, lows.count - 1, highs.count - 1)
            for (column, part) in columns(of: step + index) {
                let fraction = part.lowerBound
                band(
                    column, lows[index] + (lows[next] - lows[index]) * fraction,
                    highs[index] + (highs[next] - highs[index]) * fraction)
            }
        }
    }

    private mutating func band(_ column: Int, _ from: Double, _ to: Double) {
        guard from.isFinite, to.isFinite, from <= to else { return }
        for row in y(to)...y(from) where row == y(to) || row == y(from) || (row + column) % 3 == 0 {
            set(column, row, .band)
        }
    }

    private mutating func set(_ column: Int, _ row: Int, _ ink: Ink) {
        guard (0..<2 * width).contains(column), (0..<4 * height).contains(row) else { return }
        let cell = row / 4 * width + column / 2
        cells[cell] |= Self.bits[column % 2][row % 4]
        inks[cell] = max(inks[cell], ink.rawValue)
    }

    func text(now: Int, isColoured: Bool) -> String {
        (0..<height).map { row in
            let value = high - (high - low) * (Double(row) + 0.5) / Double(height)
            let label = row % 3 == 0 ? short(value, digits: 4) : ""
            let padding = String(repeating: " ", count: max(0, 10 - label.count))
            return padding + label + "│" + line(row, now: now, isColoured: isColoured) + "\n"
        }.joined()
    }

    private func line(_ row: Int, now: Int, isColoured: Bool) -> String {
        var (line, current) = ("", Ink.nothing)
        for column in 0..<width {
            let cell = row * width + column
            let ink = Ink(rawValue: inks[cell]) ?? .nothing
            if isColoured, ink != current { line += Self.escape(ink) }
            current = ink
            let dots = cells[cell] == 0 ? nil : UnicodeScalar(0x2800 + cells[cell])
            line += dots.map { String(Character($0)) } ?? (column == x(now) / 2 ? "┊" : " ")
        }
        return isColoured && current != .nothing ? line + Self.escape(.nothing) : line
    }

    /// ECMA-48, Select Graphic Rendition.
    private static func escape(_ ink: Ink) -> String {
        switch ink {
        case .nothing, .history: "\u{1B}[0m"
        case .band: "\u{1B}[0;34m"
        case .median: "\u{1B}[0;1;36m"
        }
    }
}

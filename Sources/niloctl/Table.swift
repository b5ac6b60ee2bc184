import TimeSeries

/// A table with aligned columns: text to the left, numbers to the right.
struct Table {
    private var rows: [[String]]

    init(_ header: [String], _ rows: [[String]]) {
        // Escaped before the widths are measured; a cell is a single line.
        self.rows = [header] + rows.map { $0.map(\.visibleLine) }
    }

    var text: String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let isNumber = rows[0].indices.map { column in
            rows.count > 1 && rows.dropFirst().allSatisfy { Double($0[column]) != nil || $0[column] == "-" }
        }
        return rows.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return isNumber[column] ? padding + row[column] : row[column] + padding
            }.joined(separator: "  ").trimmingSpaces + "\n"
        }.joined()
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

/// Formats a number with at most `digits` significant digits.
func short(_ value: Double, digits: Int = 5) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : "-" }
    var (scale, magnitude) = (0, abs(value))
    while magnitude >= 10 {
        magnitude /= 10
        scale += 1
    }
    while magnitude < 1 {
        magnitude *= 10
        scale -= 1
    }
    let decimals = max(0, digits - 1 - scale)
    guard decimals <= 12 else { return "\(value)" }
    let factor = (0..<decimals).reduce(1.0) { power, _ in power * 10 }
    let rounded = (value * factor).rounded() / factor
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? "\(Int64(rounded))" : "\(rounded)"
}

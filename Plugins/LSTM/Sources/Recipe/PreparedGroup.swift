import Basics
package import Forecasting
package import LinearARForecaster
package import Recurrent
import TimeSeries

/// A series with the numbers of all its slots, computed once.
struct PreparedSeries: Sendable {
    /// The row of its embedding.
    let memberRow: Int
    /// `[slots][shape.count]`.
    let numbers: [Float]
    let values: [Float]
    let isKnown: [Bool]
    let scale: Float
    /// The first slot to train on: by then two seasons have been seen, if there are enough slots.
    let first: Int

    var count: Int { values.count }

    /// Writes the targets of slot `index`, relative to its value and in scales, NaN if missing; returns the number of
    /// known ones.
    func writeTargets(_ index: Int, horizon: Int, to out: UnsafeMutablePointer<Float>) -> Int {
        var known = 0
        for lead in 1...horizon {
            let isPresent = index + lead < count && isKnown[index + lead]
            out[lead - 1] = isPresent ? (values[index + lead] - values[index]) / scale : .nan
            if isPresent { known += 1 }
        }
        return known
    }
}

/// The series of one group, prepared for training.
package struct PreparedGroup: Sendable {
    let group: LinearGroup
    package let shape: SlotShape
    let series: [PreparedSeries]

    /// The maximum number of prepared slots: the newest of each series, and only every second, third, … series of a
    /// large group.
    static let maximumSlots = 200_000
    static let minimumSlotsPerSeries = 600

    package init(_ group: LinearGroup, _ columns: [FilledSeries], _ panel: Panel) throws(RecurrentError) {
        let shape = SlotShape(group)
        let every = 1 + (columns.count - 1) / (Self.maximumSlots / Self.minimumSlotsPerSeries)
        let chosen = columns.enumerated().filter { $0.offset % every == 0 }.map(\.element)
        let share = Self.maximumSlots / max(1, chosen.count)
        let shared = try shape.cell(group.shared)
        let byID = Dictionary(keepingFirst: panel.series.map { ($0.id, $0) })
        var prepared: [PreparedSeries] = []
        for column in chosen {
            guard let member = group.members[column.id], let source = byID[column.id] else { continue }
            let cell = if let own = member.own { try shape.cell(own) } else { shared }
            prepared.append(Self.prepare(column, member, source, shape, cell, maximum: share))
        }
        (self.group, self.shape, series) = (group, shape, prepared)
    }

    private static func prepare(
        _ column: FilledSeries, _ member: LinearGroup.Member, _ source: Panel.Series, _ shape: SlotShape,
        _ cell: DenseCell, maximum: Int
    ) -> PreparedSeries {
        let start = max(0, column.count - maximum)
        let count = column.count - start
        var numbers = [Float](repeating: 0, count: count * shape.count)
        var state = [Float](repeating: 0, count: SlotShape.stateCount)
        let batch = 64
        let scratch = Workspace(batch * (shape.window.count + shape.linearCount))
        let (d, linear) = (scratch.base, scratch.base + batch * shape.window.count)
        numbers.withUnsafeMutableBufferPointer { numbers in
            column.values.withUnsafeBufferPointer { values in
                guard let numbers = numbers.baseAddress, let values = values.baseAddress else { return }
                for from in stride(from: 0, to: count, by: batch) {
                    let rows = min(batch, count - from)
                    for row in 0..<rows {
                        shape.window.read(
                            values, at: start + from + row, scale: column.scale, to: d + row * shape.window.count)
                    }
                    cell.forward(rows: rows, x: d, xStride: shape.window.count, y: linear)
                    for row in 0..<rows {
                        let index = start + from + row
                        shape.write(
                            d + row * shape.window.count, linear + row * shape.linearCount,
                            isMissing: !column.isKnown[index],
                            level: (values[index] - member.center) / column.scale,
                            phases: shape.phases(source.calendar(at: column.offset + index)), state: &state,
                            to: numbers + (from + row) * shape.count)
                    }
                }
            }
        }
        let seasons = shape.seasons.long > 0 ? shape.seasons.long : 2 * shape.seasons.short
        let firstTrainable = 2 * seasons < column.count ? seasons : shape.seasons.short
        return PreparedSeries(
            memberRow: member.row, numbers: numbers, values: Array(column.values[start...]),
            isKnown: Array(column.isKnown[start...]), scale: column.scale,
            first: max(0, min(firstTrainable - start, count / 2)))
    }
}

import Basics
import Forecasting
import Recurrent

/// The plain network as a forecast model.
///
/// The state, `[layers · 2 · units + 4]`, is `h` and `c` of every layer, followed by the running scale.
final class PlainModel: ForecastModel {
    let lags: [Int] = []
    let stateCount: Int
    let shape: PlainShape
    private let layers: [LSTMCell]
    private let head: DenseCell
    private let scaleOffset: Int
    /// Buffers for the head's inputs, reused between calls: allocating them for each call would make all threads
    /// contend for the allocator.
    private let buffers = Locked<[[Float]]>([])

    init(_ network: PlainNetwork) throws(RecurrentError) {
        shape = network.shape
        layers = try network.layers.map { layer throws(RecurrentError) in try layer.cell() }
        head = try network.head.cell()
        scaleOffset = shape.layers * 2 * shape.units
        stateCount = scaleOffset + PlainFeatures.Scale.count
    }

    var initialState: [Float] { [Float](repeating: 0, count: scaleOffset) + PlainFeatures.Scale.initial }

    var summary: String {
        let lines = (0..<shape.layers).map { layer in
            let inputs = shape.inputs(ofLayer: layer)
            let parameters = 4 * (shape.units * (shape.units + inputs) + shape.units)
            return "LSTM(\(shape.units))  input \(inputs)  parameters \(parameters)"
        }
        let parameters = shape.headInputs * shape.outputs + shape.outputs
        return (lines + ["Dense(\(shape.outputs))  input \(shape.headInputs)  parameters \(parameters)"])
            .joined(separator: "\n")
    }

    func advance(_ batch: inout AdvanceBatch) {
        var inputs = buffers.withLock { $0.popLast() } ?? []
        let count = batch.count * shape.headInputs
        if inputs.count < count { inputs = Array(repeating: 0, count: count) }
        inputs.withUnsafeMutableBufferPointer { inputs in
            batch.states.withUnsafeMutableBufferPointer { states in
                guard let inputs = inputs.baseAddress, let states = states.baseAddress else { return }
                step(batch.count, batch.values, CalendarFeatures.of(batch.calendar), inputs, states)
                guard batch.wantsForecasts else { return }
                batch.forecasts.withUnsafeMutableBufferPointer { out in
                    if let out = out.baseAddress { forecast(batch.count, inputs, states, out) }
                }
            }
        }
        buffers.withLock { $0.append(inputs) }
    }

    /// - Parameters:
    ///   - inputs: the inputs of the head, `[rows][units + features]`; the features are written here.
    ///   - states: `[rows][stateCount]`.
    private func step(
        _ rows: Int, _ values: [Float], _ calendar: CalendarFeatures.Column, _ inputs: UnsafeMutablePointer<Float>,
        _ states: UnsafeMutablePointer<Float>
    ) {
        let features = inputs + shape.units
        for row in 0..<rows {
            let scale = states + row * stateCount + scaleOffset
            scale.withMemoryRebound(to: PlainFeatures.Scale.self, capacity: 1) {
                PlainFeatures.write(
                    values[row], calendar[row], scale: &$0.pointee, to: features + row * shape.headInputs)
            }
        }
        for (index, layer) in layers.enumerated() {
            let h = states + index * 2 * shape.units
            layer.step(
                rows: rows, x: UnsafePointer(index == 0 ? features : h - 2 * shape.units),
                xStride: index == 0 ? shape.headInputs : stateCount, h: h, c: h + shape.units, stride: stateCount)
        }
    }

    /// - Parameters:
    ///   - inputs: the inputs of the head, `[rows][units + features]`, with the features of the step; the units are
    ///     written here.
    ///   - states: the states after the step, `[rows][stateCount]`.
    ///   - out: `[rows][horizon][quantiles]`.
    private func forecast(
        _ rows: Int, _ inputs: UnsafeMutablePointer<Float>, _ states: UnsafePointer<Float>,
        _ out: UnsafeMutablePointer<Float>
    ) {
        let top = states + (shape.layers - 1) * 2 * shape.units
        for row in 0..<rows {
            (inputs + row * shape.headInputs).update(from: top + row * stateCount, count: shape.units)
        }
        head.forward(rows: rows, x: inputs, xStride: shape.headInputs, y: out)
        for row in 0..<rows { unscale(out + row * shape.outputs, states + row * stateCount + scaleOffset) }
    }

    /// Converts from multiples of the spread around the last value to the unit of the series, and sorts each lead.
    ///
    /// - Parameters:
    ///   - forecast: `[horizon][quantiles]`.
    ///   - state: the running scale, `[PlainFeatures.Scale.count]`.
    private func unscale(_ forecast: UnsafeMutablePointer<Float>, _ state: UnsafePointer<Float>) {
        let scale = PlainFeatures.Scale(mean: state[0], deviation: state[1], seen: state[2], last: state[3])
        let width = shape.quantiles.count
        for lead in 0..<shape.horizon {
            let row = forecast + lead * width
            for index in 0..<width {
                let value = scale.last + scale.spread * row[index]
                var target = index
                while target > 0, row[target - 1] > value {
                    row[target] = row[target - 1]
                    target -= 1
                }
                row[target] = value
            }
        }
    }
}

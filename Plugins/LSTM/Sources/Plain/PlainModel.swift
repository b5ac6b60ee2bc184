import Forecasting
import Recurrent

/// The network ready to step.
///
/// State, `[layers · 2 · units + 4]`: `h` and `c` of every layer, then the running scale.
final class PlainModel: ForecastModel {
    let lags: [Int] = []
    let stateCount: Int
    let shape: PlainShape
    private let layers: [LSTMCell]
    private let head: DenseCell
    private let scaleOffset: Int

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
        let rows = batch.count
        let calendar = CalendarFeatures.of(batch.calendar)
        var features = [Float](repeating: 0, count: rows * PlainFeatures.count)
        features.withUnsafeMutableBufferPointer { features in
            batch.states.withUnsafeMutableBufferPointer { states in
                guard let x = features.baseAddress, let states = states.baseAddress else { return }
                for row in 0..<rows {
                    let scale = states + row * stateCount + scaleOffset
                    scale.withMemoryRebound(to: PlainFeatures.Scale.self, capacity: 1) {
                        PlainFeatures.write(
                            batch.values[row], calendar[row], scale: &$0.pointee, to: x + row * PlainFeatures.count)
                    }
                }
                step(rows, x, states)
            }
        }
        if batch.wantsForecasts { forecast(&batch, features) }
    }

    private func step(_ rows: Int, _ x: UnsafePointer<Float>, _ states: UnsafeMutablePointer<Float>) {
        for (place, layer) in layers.enumerated() {
            let h = states + place * 2 * shape.units
            layer.step(
                rows: rows, x: place == 0 ? x : UnsafePointer(h - 2 * shape.units),
                xStride: place == 0 ? PlainFeatures.count : stateCount, h: h,
                c: h + shape.units, stride: stateCount)
        }
    }

    private func forecast(_ batch: inout AdvanceBatch, _ features: [Float]) {
        let (rows, top) = (batch.count, (shape.layers - 1) * 2 * shape.units)
        var inputs = [Float](repeating: 0, count: rows * shape.headInputs)
        inputs.withUnsafeMutableBufferPointer { inputs in
            batch.states.withUnsafeBufferPointer { states in
                features.withUnsafeBufferPointer { features in
                    batch.forecasts.withUnsafeMutableBufferPointer { out in
                        guard let x = inputs.baseAddress, let states = states.baseAddress, let y = out.baseAddress,
                            let features = features.baseAddress
                        else { return }
                        for row in 0..<rows {
                            let input = x + row * shape.headInputs
                            input.update(from: states + row * stateCount + top, count: shape.units)
                            (input + shape.units).update(
                                from: features + row * PlainFeatures.count, count: PlainFeatures.count)
                        }
                        head.forward(rows: rows, x: x, xStride: shape.headInputs, y: y)
                        for row in 0..<rows {
                            unscale(y + row * shape.outputs, states + row * stateCount + scaleOffset)
                        }
                    }
                }
            }
        }
    }

    /// From units of the spread around the last value to units of the series, ascending within each lead.
    ///
    /// - Parameters:
    ///   - forecast: `[horizon][quantiles]`
    ///   - state: the running scale, `[PlainFeatures.Scale.count]`.
    private func unscale(_ forecast: UnsafeMutablePointer<Float>, _ state: UnsafePointer<Float>) {
        let scale = PlainFeatures.Scale(mean: state[0], deviation: state[1], seen: state[2], last: state[3])
        let width = shape.quantiles.count
        for lead in 0..<shape.horizon {
            let lead = forecast + lead * width
            for place in 0..<width {
                let value = scale.last + scale.spread * lead[place]
                var target = place
                while target > 0, lead[target - 1] > value {
                    lead[target] = lead[target - 1]
                    target -= 1
                }
                lead[target] = value
            }
        }
    }
}

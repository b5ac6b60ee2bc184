import Forecasting

/// A model that runs in a plugin's process. Rows without an answer are marked absent.
final class PluginModel: ForecastModel {
    let stateCount: Int
    let lags: [Int]
    let experts: [Expert]
    let initialState: [Float]
    let summary: String
    let rowsPerBatch: Int
    private let name: String
    private let shape: ModelShape
    private let supervisor: PluginSupervisor

    init(_ name: String, _ description: ModelDescription, _ supervisor: PluginSupervisor) {
        (self.name, self.supervisor, shape) = (name, supervisor, description.shape)
        (stateCount, lags, experts) = (shape.stateCount, description.lags, description.experts)
        (initialState, summary) = (description.initialState, description.summary)
        rowsPerBatch = shape.rowsPerCall
    }

    deinit { supervisor.drop(name) }

    func advance(_ batch: inout AdvanceBatch) {
        for start in stride(from: 0, to: batch.count, by: rowsPerBatch) {
            let rows = start..<min(batch.count, start + rowsPerBatch)
            let isDone = supervisor.step(name, rows: rows.count) { channel in
                try channel.advance(name, &batch, rows, shape, within: supervisor.plugin.deadline)
            }
            if !isDone { for row in rows { batch.absent[row] = true } }
        }
    }
}

import Recurrent

/// A network with its weights packed, used by live steps and by the forward pass of training. Immutable.
struct RecipeCell: Sendable {
    let sizes: NetworkSizes
    let lstm: LSTMCell?
    let dense: DenseCell
    let decoder: Decoder
    /// `[members][embedding]`, and their mean for a series without an embedding.
    private let embeddings: [Float]
    private let meanEmbedding: [Float]

    init(_ network: RecipeNetwork) throws(RecurrentError) {
        sizes = network.sizes
        lstm = try network.lstm?.cell()
        dense = try network.dense.cell()
        decoder = try Decoder(network)
        embeddings = network.members.parameter.values
        meanEmbedding = network.meanEmbedding(of: 0..<network.members.count)
    }

    func writeEmbedding(_ row: Int?, to out: UnsafeMutablePointer<Float>) {
        let width = sizes.embedding
        guard let row, row < sizes.members else {
            for column in 0..<width { out[column] = meanEmbedding[column] }
            return
        }
        for column in 0..<width { out[column] = embeddings[row * width + column] }
    }

    /// Runs the memoryless layer on `rows` rows of inputs `[rows][sizes.dense]`; y is `[rows][denseUnits]`.
    func runDense(
        _ rows: Int, _ x: UnsafePointer<Float>, to y: UnsafeMutablePointer<Float>,
        slopes: UnsafeMutablePointer<Float>? = nil
    ) {
        dense.forward(rows: rows, x: x, xStride: sizes.dense, y: y)
        Kernels.best.apply(.tanh, rows * sizes.denseUnits, y, to: y, slopes: slopes)
    }
}

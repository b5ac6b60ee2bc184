import Forecasting
import LSTMForecaster
import LinearARForecaster
import Recurrent
import Testing

@Suite("The recipe's gradients")
struct RecipeGradientTests {
    /// A trainer whose every call scores the same slots, without noise and dropout.
    private struct Setting {
        let plan: RecipePlan
        let prepared: PreparedGroup
        let sizes: NetworkSizes

        init(isRecurrent: Bool) throws {
            let exact: Parameters = ["dropout": .number(0), "noise": .number(0), "positions": .integer(12)]
            let specification = try Wave.specification(Wave.small.merging(exact) { $1 })
            plan = RecipePlan(try LSTMMethod().manifest.resolve(specification.parameters))
            let panel = try Wave.panel(3)
            let fitted = try LinearGroup.fit(panel, specification, plan.linear, method: "lstm")
            let group = try #require(fitted.first)
            prepared = try PreparedGroup(group.group, group.series, panel)
            sizes = NetworkSizes(
                plan, specification, prepared.shape, members: 3, squashes: true, isRecurrent: isRecurrent)
        }

        func network() throws -> RecipeNetwork {
            var random = RandomSource(seed: 5)
            return try RecipeNetwork(sizes, &random)
        }

        func loss(_ weights: [[Float]]) throws -> Double {
            let network = try network()
            try network.set(weights)
            return try RecipeTrainer(network, prepared, plan, seed: 9).gradients()
        }
    }

    @Test("the derivative along any direction of any tensor is that of the loss", arguments: [true, false])
    func directions(isRecurrent: Bool) throws {
        let setting = try Setting(isRecurrent: isRecurrent)
        let network = try setting.network()
        _ = try RecipeTrainer(network, setting.prepared, setting.plan, seed: 9).gradients()
        let (weights, gradients) = (network.weights, network.parameters.map(\.gradient))
        var random = RandomSource(seed: 3)
        for (place, gradient) in gradients.enumerated() {
            // Along the gradient itself, roughened: so the derivative is not lost in the loss' last digits.
            let direction = gradient.map { $0 * (0.5 + random.uniform()) }
            let norm = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
            #expect(norm > 0, "tensor \(place)")
            let step = 0.01 / max(norm, 1e-9)
            func moved(_ by: Float) -> [[Float]] {
                var moved = weights
                moved[place] = zip(weights[place], direction).map { $0 + by * step * $1 }
                return moved
            }
            let (up, down) = (try setting.loss(moved(1)), try setting.loss(moved(-1)))
            let expected = zip(gradient, direction).reduce(0.0) { $0 + Double($1.0 * $1.1) } * 2 * Double(step)
            #expect(abs(up - down - expected) < 0.05 * expected + 2e-6, "tensor \(place): \(up - down), \(expected)")
        }
    }
}

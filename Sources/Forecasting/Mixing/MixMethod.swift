/// Several methods combined into one: each contributes its experts, for the daemon to weight series by series.
///
/// The members are built-in methods, which always answer. The parameters are `members`, `priors`, and those of the
/// members as `MEMBER.PARAMETER`.
public struct MixMethod: TrainableMethod {
    /// The name of the method in the configuration.
    public static let name = "mix"

    public let manifest: Manifest
    private let methods: [any ForecastingMethod]

    /// - Parameter methods: the possible members; without the parameter `members`, all of them are.
    public init(of methods: [any ForecastingMethod]) {
        self.methods = methods
        let names = methods.map(\.manifest.name)
        let mixParameters = [
            ParameterDescription(
                "members", .list(names.map { .string($0) }), "the methods whose forecasts are mixed"),
            ParameterDescription(
                "priors", .list([]), "their weights before anything is scored, in the same order; empty: all equal"),
        ]
        let inherited = methods.flatMap { method in
            method.manifest.parameters.map { parameter in
                ParameterDescription(
                    Self.key(method, parameter.name), parameter.defaultValue, range: parameter.range,
                    choices: parameter.choices, aliases: parameter.aliases, parameter.summary)
            }
        }
        manifest = Manifest(
            name: Self.name, version: "1", summary: "several methods, weighted by their performance on each series",
            parameters: mixParameters + inherited)
    }

    /// The names of the members selected by `parameters`; all possible ones if it has no `members`.
    public static func members(_ parameters: Parameters, of manifest: Manifest) -> [String] {
        let fallback = manifest.parameters.first { $0.name == "members" }?.defaultValue
        guard case .list(let names)? = parameters["members"] ?? fallback else { return [] }
        return names.compactMap { if case .string(let name) = $0 { name } else { nil } }
    }

    private static func key(_ method: any ForecastingMethod, _ parameter: String) -> String {
        "\(method.manifest.name).\(parameter)"
    }

    public func load(weights: [UInt8], specification: ForecastSpecification) throws -> any ForecastModel {
        let members = try members(of: specification)
        let bundle = try WeightsBundle(decoding: weights)
        let loaded = try members.map { member in
            guard let part = bundle.parts[member.method.manifest.name] else {
                throw ForecastingError.badWeights(
                    method: manifest.name, reason: "they contain nothing for \(member.method.manifest.name)")
            }
            return MixModel.Member(
                name: member.method.manifest.name, prior: member.prior,
                model: try member.method.load(weights: part, specification: member.specification))
        }
        return MixModel(loaded, specification)
    }

    public func train(
        _ panel: Panel, from: [UInt8]?, specification: ForecastSpecification,
        progress: (TrainingProgress) throws -> Void
    ) throws -> TrainedWeights {
        let start = try from.map { try WeightsBundle(decoding: $0) }
        var (bundle, metrics) = (WeightsBundle(), [String: Double]())
        for member in try members(of: specification) {
            let name = member.method.manifest.name
            guard let method = member.method as? any TrainableMethod else {
                bundle.parts[name] = []
                continue
            }
            let trained = try method.train(
                panel, from: start?.parts[name], specification: member.specification, progress: progress)
            bundle.parts[name] = trained.weights
            for (key, value) in trained.metrics { metrics["\(name).\(key)"] = value }
        }
        return TrainedWeights(weights: bundle.encoded(), metrics: metrics)
    }

    private struct Member {
        var method: any ForecastingMethod
        var prior: Double
        var specification: ForecastSpecification
    }

    private func members(of specification: ForecastSpecification) throws(ForecastingError) -> [Member] {
        let parameters = try manifest.resolve(specification.parameters)
        let names = try list("members", parameters, "a list of methods' names") { value in
            if case .string(let name) = value { name } else { nil }
        }
        let priors = try list("priors", parameters, "a list of numbers, one per member") { value -> Double? in
            switch value {
            case .number(let number) where number > 0: number
            case .integer(let number) where number > 0: Double(number)
            default: nil
            }
        }
        guard Set(names).count == names.count, !names.isEmpty else {
            throw refusal("members", "different names, at least one", parameters)
        }
        guard priors.isEmpty || priors.count == names.count else {
            throw refusal("priors", "as many numbers as there are members", parameters)
        }
        var members: [Member] = []
        for (index, name) in names.enumerated() {
            guard let method = methods.first(where: { $0.manifest.name == name }) else {
                throw refusal("members", "some of \(methods.map(\.manifest.name).joined(separator: ", "))", parameters)
            }
            var memberSpecification = specification
            memberSpecification.parameters = [:]
            for parameter in method.manifest.parameters {
                memberSpecification.parameters[parameter.name] = parameters[Self.key(method, parameter.name)]
            }
            let prior = priors.isEmpty ? 1 : priors[index]
            members.append(Member(method: method, prior: prior, specification: memberSpecification))
        }
        return members
    }

    private func list<T>(
        _ name: String, _ parameters: Parameters, _ expected: String, _ read: (ParameterValue) -> T?
    ) throws(ForecastingError) -> [T] {
        guard case .list(let values)? = parameters[name] else { return [] }
        let items = values.compactMap(read)
        guard items.count == values.count else { throw refusal(name, expected, parameters) }
        return items
    }

    private func refusal(_ name: String, _ expected: String, _ parameters: Parameters) -> ForecastingError {
        .badParameter(
            name, method: manifest.name, expected: expected, found: parameters[name]?.description ?? "nothing")
    }
}

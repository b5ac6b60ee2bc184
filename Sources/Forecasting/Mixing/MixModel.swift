import Basics

/// Several models as one: their states and their experts are concatenated.
final class MixModel: ForecastModel {
    struct Member: Sendable {
        let name: String
        let prior: Double
        let model: any ForecastModel
    }

    let stateCount: Int
    let lags: [Int]
    let initialState: [Float]
    let experts: [Expert]
    private let members: [Member]
    private let forecastCount: Int
    /// For each member and each of its lags, the index of that lag in ``lags``.
    private let lagIndices: [[Int]]

    init(_ members: [Member], _ specification: ForecastSpecification) {
        self.members = members
        forecastCount = specification.forecastCount
        stateCount = members.reduce(0) { $0 + $1.model.stateCount }
        initialState = members.flatMap(\.model.initialState)
        let all = Array(Set(members.flatMap(\.model.lags))).sorted()
        let indexOfLag = Dictionary(keepingFirst: all.enumerated().map { ($1, $0) })
        lags = all
        lagIndices = members.map { $0.model.lags.compactMap { indexOfLag[$0] } }
        experts = members.flatMap { member in
            let sum = member.model.experts.reduce(0) { $0 + $1.prior }
            return member.model.experts.map { expert in
                Expert(
                    name: expert.name.isEmpty ? member.name : "\(member.name) \(expert.name)",
                    prior: member.prior * expert.prior / sum)
            }
        }
    }

    var summary: String {
        members.map { member in
            member.name + "\n"
                + member.model.summary.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
        }.joined(separator: "\n")
    }

    func advance(_ batch: inout AdvanceBatch) {
        var (stateStart, expertStart) = (0, 0)
        for (index, member) in members.enumerated() {
            var inner = AdvanceBatch(
                count: batch.count, model: member.model, forecastCount: forecastCount,
                wantsForecasts: batch.wantsForecasts)
            (inner.series, inner.slots, inner.values) = (batch.series, batch.slots, batch.values)
            inner.calendar = batch.calendar
            gather(&inner, from: batch, index, stateStart)
            member.model.advance(&inner)
            scatter(inner, to: &batch, member, stateStart, expertStart)
            stateStart += member.model.stateCount
            expertStart += member.model.experts.count
        }
    }

    private func gather(_ inner: inout AdvanceBatch, from batch: AdvanceBatch, _ member: Int, _ stateStart: Int) {
        let (count, lagIndices) = (members[member].model.stateCount, lagIndices[member])
        for row in 0..<batch.count {
            for offset in 0..<count {
                inner.states[row * count + offset] = batch.states[row * stateCount + stateStart + offset]
            }
            for (offset, lag) in lagIndices.enumerated() {
                inner.lagged[row * lagIndices.count + offset] = batch.lagged[row * lags.count + lag]
            }
        }
    }

    private func scatter(
        _ inner: AdvanceBatch, to batch: inout AdvanceBatch, _ member: Member, _ stateStart: Int, _ expertStart: Int
    ) {
        let count = member.model.stateCount
        let width = member.model.experts.count * forecastCount
        for row in 0..<batch.count {
            for offset in 0..<count {
                batch.states[row * stateCount + stateStart + offset] = inner.states[row * count + offset]
            }
            guard batch.wantsForecasts else { continue }
            let target = (row * experts.count + expertStart) * forecastCount
            for offset in 0..<width { batch.forecasts[target + offset] = inner.forecasts[row * width + offset] }
        }
    }
}

/// Models side by side: one state after the other, one expert after the other.
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
    /// By member, by its lag: the place of that lag among all.
    private let lagPlaces: [[Int]]

    init(_ members: [Member], _ specification: ForecastSpecification) {
        self.members = members
        forecastCount = specification.forecastCount
        stateCount = members.reduce(0) { $0 + $1.model.stateCount }
        initialState = members.flatMap(\.model.initialState)
        let all = Array(Set(members.flatMap(\.model.lags))).sorted()
        let places = Dictionary(all.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        lags = all
        lagPlaces = members.map { $0.model.lags.compactMap { places[$0] } }
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
        for (place, member) in members.enumerated() {
            var inner = AdvanceBatch(
                count: batch.count, model: member.model, forecastCount: forecastCount,
                wantsForecasts: batch.wantsForecasts)
            (inner.series, inner.slots, inner.values) = (batch.series, batch.slots, batch.values)
            inner.calendar = batch.calendar
            take(&inner, from: batch, place, stateStart)
            member.model.advance(&inner)
            give(inner, to: &batch, member, stateStart, expertStart)
            stateStart += member.model.stateCount
            expertStart += member.model.experts.count
        }
    }

    private func take(_ inner: inout AdvanceBatch, from batch: AdvanceBatch, _ place: Int, _ stateStart: Int) {
        let (count, own) = (members[place].model.stateCount, lagPlaces[place])
        for row in 0..<batch.count {
            for offset in 0..<count {
                inner.states[row * count + offset] = batch.states[row * stateCount + stateStart + offset]
            }
            for (offset, lag) in own.enumerated() {
                inner.lagged[row * own.count + offset] = batch.lagged[row * lags.count + lag]
            }
        }
    }

    private func give(
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

import Basics
import Forecasting
import LinearARForecaster
import Recurrent
import TimeSeries

/// The recipe as a forecast model.
///
/// The state is the running scale `[3]`, leaky means of base errors `[7]`, then `h` and `c` of each recurrent network.
final class RecipeModel: ForecastModel {
    let lags: [Int]
    let experts: [Expert]
    private let groups: [RecipeGroup]
    private let specification: ForecastSpecification
    private let layout: RecipeLayout
    private let idle = IdlePasses()

    init(
        _ file: Safetensors, _ plan: RecipePlan, _ specification: ForecastSpecification
    ) throws(RecurrentError) {
        self.specification = specification
        let linear = try LinearGroup.groups(in: file, specification)
        let horizon = specification.horizon
        let all = Set(
            linear.flatMap { SlotShape.lags($0) + $0.lags + SeasonalFallback.lags($0.seasons, horizon: horizon) }
        ).sorted()
        lags = all
        let kinds = NetworkKind.all(plan)
        var groups: [RecipeGroup] = []
        for (index, group) in linear.enumerated() {
            groups.append(
                try RecipeGroup(group, file, "group.\(index)/", kinds, plan, specification, among: all))
        }
        self.groups = groups
        experts =
            kinds.map { Expert(name: $0.name, prior: $0.prior) } + [
                Expert(name: "linear", prior: 0.15), Expert(name: "naive", prior: 0.005),
            ]
        units = plan.units
        layout = RecipeLayout(kinds, units: plan.units, lagCount: all.count, expertCount: experts.count)
        recurrentStates = zip(kinds, layout.states).filter(\.0.isRecurrent).map { ($0.name, $1) }
    }

    var stateCount: Int { layout.stateCount }

    /// The recurrent networks, and the offset of their `h` in the state; `c` follows it.
    let recurrentStates: [(name: String, offset: Int)]
    let units: Int

    var initialState: [Float] {
        RunningScale.initial + [Float](repeating: 0, count: stateCount - RunningScale.count)
    }

    var summary: String { groups.map(\.summary).joined(separator: "\n") }

    func advance(_ batch: inout AdvanceBatch) {
        var rows = groups.map { _ in [Int]() }
        let (members, cadences) = (groups.map(\.memberRows), groups.map(\.group.cadenceSeconds))
        for row in 0..<batch.count {
            let group = GroupChoice.index(
                of: batch.series[row], batch.calendar[row].cadenceSeconds, members: members, cadences: cadences)
            rows[group].append(row)
        }
        for (group, rows) in rows.enumerated() where !rows.isEmpty {
            let pass = idle.checkOut(group) ?? RecipePass(groups[group], specification, layout: layout)
            for from in stride(from: 0, to: rows.count, by: RecipePass.rowCount) {
                pass.run(rows[from..<min(from + RecipePass.rowCount, rows.count)], &batch)
            }
            idle.checkIn(pass, group)
        }
    }
}

/// The scratch memory of earlier calls, by group, for reuse: allocating it costs as much as a step.
private final class IdlePasses: Sendable {
    private let idle: Locked<[Int: [RecipePass]]> = Locked([:])

    func checkOut(_ group: Int) -> RecipePass? { idle.withLock { $0[group]?.popLast() } }
    func checkIn(_ pass: RecipePass, _ group: Int) { idle.withLock { $0[group, default: []].append(pass) } }
}

/// The layout of the arrays of a row.
struct RecipeLayout: Sendable {
    let stateCount: Int
    let lagCount: Int
    let expertCount: Int
    /// Per network: the offset of its `h` in the state, followed by `c`.
    let states: [Int]

    init(_ kinds: [NetworkKind], units: Int, lagCount: Int, expertCount: Int) {
        (self.lagCount, self.expertCount) = (lagCount, expertCount)
        var (states, next): ([Int], Int) = ([], RunningScale.count + SlotShape.stateCount)
        for kind in kinds {
            states.append(next)
            if kind.isRecurrent { next += 2 * units }
        }
        (self.states, stateCount) = (states, next)
    }
}

/// A group of a model: its linear base and its networks, with packed weights.
struct RecipeGroup: Sendable {
    let group: LinearGroup
    let shape: SlotShape
    let fallback: SeasonalFallback
    let shared: DenseCell
    /// The rows of the trained series in the tables below.
    let memberRows: [SeriesID: Int]
    let scales: [Float]
    let centers: [Float]
    let own: [DenseCell?]
    /// `[series + 1][horizon][quantiles]`; the last row is for all series together.
    let residuals: [Float]
    let networks: [(cell: RecipeCell, inputs: NetworkInputs)]

    init(
        _ group: LinearGroup, _ file: Safetensors, _ prefix: String, _ kinds: [NetworkKind], _ plan: RecipePlan,
        _ specification: ForecastSpecification, among lags: [Int]
    ) throws(RecurrentError) {
        self.group = group
        shape = SlotShape(group, among: lags)
        fallback = SeasonalFallback(group.seasons, specification, among: lags)
        shared = try shape.cell(group.shared)
        let members = group.members.sorted { $0.value.row < $1.value.row }
        memberRows = group.members.mapValues(\.row)
        scales = members.map(\.value.scale)
        centers = members.map(\.value.center)
        residuals = members.flatMap(\.value.residuals) + group.residuals
        var own: [DenseCell?] = []
        for (_, member) in members {
            let cell: DenseCell? = if let weights = member.own { try shape.cell(weights) } else { nil }
            own.append(cell)
        }
        self.own = own
        var networks: [(RecipeCell, NetworkInputs)] = []
        for kind in kinds {
            let sizes = NetworkSizes(
                plan, specification, shape, members: group.members.count, squashes: kind.squashes,
                isRecurrent: kind.isRecurrent)
            let network = try RecipeNetwork(sizes, in: file, prefix + kind.name + "/")
            networks.append((try RecipeCell(network), NetworkInputs(shape, squashes: kind.squashes)))
        }
        self.networks = networks
    }

    var summary: String {
        let seasons = group.seasons
        let header =
            "\(group.members.count) series of \(group.cadenceSeconds) s  seasons \(seasons.short), \(seasons.long)  "
            + "Linear(\(group.lags.count) lags, \(own.count { $0 != nil }) series with weights of their own)"
        return
            ([header]
            + networks.map { network in
                let sizes = network.cell.sizes
                let recurrent = sizes.isRecurrent ? "LSTM(\(sizes.units))  input \(NetworkInputs.recurrentCount), " : ""
                return "    \(recurrent)Dense(\(sizes.denseUnits))  input \(sizes.dense), "
                    + "Decoder(\(sizes.decoderUnits))  input \(sizes.context) + \(sizes.leads)"
            }).joined(separator: "\n")
    }
}

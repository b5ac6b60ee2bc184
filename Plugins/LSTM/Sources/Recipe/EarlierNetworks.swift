import Forecasting
import LinearARForecaster
import Recurrent
import TimeSeries

/// The networks of an earlier version, adapted to those groups of a new panel that they fit.
///
/// A group is identified by its cadence. Its inputs have the same meaning only with the same seasons, so the seasons
/// must match too.
struct EarlierNetworks {
    /// By the index of the group in the panel.
    private var networks: [Int: [NetworkKind: RecipeNetwork]] = [:]
    /// The notes on all groups.
    private(set) var notes: [TrainingNote] = []

    /// - Parameter sizes: returns the sizes of a network of some kind for a group.
    init(
        _ weights: [UInt8], for groups: [PreparedGroup], _ kinds: [NetworkKind], _ specification: ForecastSpecification,
        sizes: (PreparedGroup, NetworkKind) -> NetworkSizes
    ) {
        do {
            let file = try Safetensors(decoding: weights)
            let earlier = try LinearGroup.groups(in: file, specification)
            for (group, prepared) in groups.enumerated() {
                switch Self.index(of: prepared.group, in: earlier) {
                case .success(let index):
                    networks[group] = try Self.networks(
                        prepared, kinds, file, index, earlier[index].members.mapValues(\.row), sizes)
                    let known = prepared.group.members.keys.count { earlier[index].members[$0] != nil }
                    notes.append(.goesOn(known: known, new: prepared.group.members.count - known))
                case .failure(let misfit): notes.append(.beginsAnew(misfit.reason))
                }
            }
        } catch {
            (networks, notes) = ([:], [.beginsAnew(.tensors("\(error)"))])
        }
    }

    /// Whether there are networks for a group.
    func hasNetworks(forGroup group: Int) -> Bool { networks[group] != nil }
    var groupCount: Int { networks.count }
    func network(_ kind: NetworkKind, ofGroup group: Int) -> RecipeNetwork? { networks[group]?[kind] }

    private struct NoMatch: Error {
        var reason: TrainingNote.Misfit
    }

    private static func index(of group: LinearGroup, in earlier: [LinearGroup]) -> Result<Int, NoMatch> {
        guard let index = earlier.firstIndex(where: { $0.cadenceSeconds == group.cadenceSeconds }) else {
            return .failure(NoMatch(reason: .cadence(seconds: Double(group.cadenceSeconds))))
        }
        let (expected, found) = (group.seasons, earlier[index].seasons)
        guard expected == found else {
            return .failure(
                NoMatch(
                    reason: .seasons(
                        expected: [expected.short, expected.long], found: [found.short, found.long])))
        }
        return .success(index)
    }

    private static func networks(
        _ prepared: PreparedGroup, _ kinds: [NetworkKind], _ file: Safetensors, _ index: Int,
        _ rows: [SeriesID: Int], _ sizes: (PreparedGroup, NetworkKind) -> NetworkSizes
    ) throws(RecurrentError) -> [NetworkKind: RecipeNetwork] {
        let members = prepared.group.members.sorted { $0.value.row < $1.value.row }.map { rows[$0.key] }
        var networks: [NetworkKind: RecipeNetwork] = [:]
        for kind in kinds {
            let wanted = sizes(prepared, kind)
            var earlierSizes = wanted
            earlierSizes.members = rows.count
            let earlier = try RecipeNetwork(earlierSizes, in: file, "group.\(index)/\(kind.name)/")
            networks[kind] = try RecipeNetwork(wanted, from: earlier, rows: members)
        }
        return networks
    }
}

import Forecasting
import LinearARForecaster
import Recurrent
import TimeSeries

/// The networks of an earlier version, made ready for the groups of a new panel that they fit.
///
/// A group is known by its cadence. Its inputs mean the same only with the same seasons, so those have to agree too.
struct EarlierNetworks {
    /// By group of the panel.
    private var networks: [Int: [NetworkKind: RecipeNetwork]] = [:]
    /// What is to be said of every group.
    private(set) var notes: [TrainingNote] = []

    /// - Parameter sizes: of a network for a group.
    init(
        _ weights: [UInt8], for groups: [PreparedGroup], _ kinds: [NetworkKind], _ specification: ForecastSpecification,
        sizes: (PreparedGroup, NetworkKind) -> NetworkSizes
    ) {
        do {
            let file = try Safetensors(decoding: weights)
            let earlier = try LinearGroup.groups(in: file, specification)
            for (index, prepared) in groups.enumerated() {
                switch Self.place(of: prepared.group, in: earlier) {
                case .success(let place):
                    networks[index] = try Self.networks(
                        prepared, kinds, file, place, earlier[place].members.mapValues(\.place), sizes)
                    let known = prepared.group.members.keys.count { earlier[place].members[$0] != nil }
                    notes.append(.goesOn(known: known, new: prepared.group.members.count - known))
                case .failure(let misfit): notes.append(.beginsAnew(misfit.reason))
                }
            }
        } catch {
            (networks, notes) = ([:], [.beginsAnew(.tensors("\(error)"))])
        }
    }

    /// Whether there are networks for a group.
    func know(_ group: Int) -> Bool { networks[group] != nil }
    var groupCount: Int { networks.count }
    func network(_ kind: NetworkKind, ofGroup group: Int) -> RecipeNetwork? { networks[group]?[kind] }

    private struct NoPlace: Error {
        var reason: TrainingNote.Misfit
    }

    private static func place(of group: LinearGroup, in earlier: [LinearGroup]) -> Result<Int, NoPlace> {
        guard let place = earlier.firstIndex(where: { $0.cadenceSeconds == group.cadenceSeconds }) else {
            return .failure(NoPlace(reason: .cadence(seconds: Double(group.cadenceSeconds))))
        }
        let (expected, found) = (group.seasons, earlier[place].seasons)
        guard expected == found else {
            return .failure(
                NoPlace(
                    reason: .seasons(
                        expected: [expected.short, expected.long], found: [found.short, found.long])))
        }
        return .success(place)
    }

    private static func networks(
        _ prepared: PreparedGroup, _ kinds: [NetworkKind], _ file: Safetensors, _ place: Int,
        _ rows: [SeriesID: Int], _ sizes: (PreparedGroup, NetworkKind) -> NetworkSizes
    ) throws(RecurrentError) -> [NetworkKind: RecipeNetwork] {
        let members = prepared.group.members.sorted { $0.value.place < $1.value.place }.map { rows[$0.key] }
        var networks: [NetworkKind: RecipeNetwork] = [:]
        for kind in kinds {
            let wanted = sizes(prepared, kind)
            var own = wanted
            own.members = rows.count
            let earlier = try RecipeNetwork(own, in: file, "group.\(place)/\(kind.name)/")
            networks[kind] = try RecipeNetwork(wanted, from: earlier, rows: members)
        }
        return networks
    }
}

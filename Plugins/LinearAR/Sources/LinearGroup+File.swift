package import Forecasting
package import Recurrent
import TimeSeries

/// The tensors of the linear base in a weights file, under `group.N/`:
///
/// | name | shape | what |
/// |---|---|---|
/// | `shape` | 3 | seconds in a slot, slots in the short and the long season |
/// | `lags` | lags | ascending |
/// | `linear/kernel`, `linear/bias` | lags × horizon, horizon | the shared weights |
/// | `linear/residuals` | horizon × quantiles | of all series, in units of the scale |
/// | `series/id` | series × 4 | 16 bits each, lowest first |
/// | `series/scale` | series × 2 | scale and median |
/// | `series/residuals` | series × horizon × quantiles | |
/// | `series/marginal` | series × quantiles | of the training values; missing in older files |
/// | `series/own` | series | the row of `own/…`, -1 for the shared weights |
/// | `own/kernel`, `own/bias` | own × lags × horizon, own × horizon | only if any series has its own weights |
extension LinearGroup {
    /// The tensors of the group, named with the prefix `group.INDEX/`.
    package func tensors(_ index: Int) throws(RecurrentError) -> [String: Tensor] {
        let ordered = members.sorted { $0.value.row < $1.value.row }
        let own = ordered.compactMap(\.value.own)
        var rows: [Float] = []
        var next = 0
        for (_, member) in ordered {
            rows.append(member.own == nil ? -1 : Float(next))
            if member.own != nil { next += 1 }
        }
        let width = residuals.count / horizon
        var tensors: [String: Tensor] = [
            "shape": try Self.tensor([3], [cadenceSeconds, Float(seasons.short), Float(seasons.long)]),
            "lags": try Self.tensor([lags.count], lags.map { Float($0) }),
            "linear/kernel": try Self.tensor([lags.count, horizon], shared.kernel),
            "linear/bias": try Self.tensor([horizon], shared.bias),
            "linear/residuals": try Self.tensor([horizon, width], residuals),
            "series/id": try Self.tensor([ordered.count, 4], ordered.flatMap { Self.parts($0.key) }),
            "series/scale": try Self.tensor(
                [ordered.count, 2], ordered.flatMap { [$0.value.scale, $0.value.center] }),
            "series/residuals": try Self.tensor(
                [ordered.count, horizon, width], ordered.flatMap(\.value.residuals)),
            "series/marginal": try Self.tensor([ordered.count, width], ordered.flatMap(\.value.marginal)),
            "series/own": try Self.tensor([ordered.count], rows),
        ]
        if !own.isEmpty {
            tensors["own/kernel"] = try Self.tensor([own.count, lags.count, horizon], own.flatMap(\.kernel))
            tensors["own/bias"] = try Self.tensor([own.count, horizon], own.flatMap(\.bias))
        }
        return Dictionary(uniqueKeysWithValues: tensors.map { ("group.\(index)/\($0)", $1) })
    }

    private static func tensor(_ shape: [Int], _ values: [Float]) throws(RecurrentError) -> Tensor {
        try Tensor(shape: shape, values: values)
    }

    private static func parts(_ id: SeriesID) -> [Float] {
        (0..<4).map { Float(UInt64(bitPattern: id.rawValue) >> (16 * UInt64($0)) & 0xFFFF) }
    }

    /// The groups of a file, in order.
    ///
    /// - Throws: ``RecurrentError`` when a tensor is missing or does not fit.
    package static func groups(
        in file: Safetensors, _ specification: ForecastSpecification
    ) throws(RecurrentError) -> [LinearGroup] {
        var groups: [LinearGroup] = []
        while file.tensors["group.\(groups.count)/shape"] != nil {
            groups.append(try LinearGroup(file, "group.\(groups.count)/", specification))
        }
        guard !groups.isEmpty else { throw .missingTensor("group.0/shape", found: file.tensors.keys.sorted()) }
        return groups
    }

    private init(
        _ file: Safetensors, _ prefix: String, _ specification: ForecastSpecification
    ) throws(RecurrentError) {
        let (horizon, width) = (specification.horizon, specification.quantiles.count)
        let shape = try file.values(prefix + "shape", shape: [3])
        let lagCount = file.tensors[prefix + "lags"]?.shape.first ?? 0
        let lags = try file.values(prefix + "lags", shape: [lagCount]).map { Int(max(0, min($0, 1e6))) }
        guard let last = lags.last, last + horizon <= 2_304 + 64, zip([0] + lags, lags).allSatisfy({ $0 < $1 }),
            shape.allSatisfy({ $0 >= 0 && $0 < 1e9 })
        else { throw .malformedFile("the lags of \(prefix) do not ascend from 1 to 2304") }
        cadenceSeconds = shape[0]
        seasons = Seasonality(short: Int(shape[1]), long: Int(shape[2]))
        self.lags = lags
        shared = LinearWeights(
            kernel: try file.values(prefix + "linear/kernel", shape: [lagCount, horizon]),
            bias: try file.values(prefix + "linear/bias", shape: [horizon]))
        residuals = try file.values(prefix + "linear/residuals", shape: [horizon, width])
        members = try Self.members(file, prefix, lagCount, horizon, width)
    }

    private static func members(
        _ file: Safetensors, _ prefix: String, _ lags: Int, _ horizon: Int, _ width: Int
    ) throws(RecurrentError) -> [SeriesID: Member] {
        let count = file.tensors[prefix + "series/own"]?.shape.first ?? 0
        let ids = try file.values(prefix + "series/id", shape: [count, 4])
        let scales = try file.values(prefix + "series/scale", shape: [count, 2])
        let residuals = try file.values(prefix + "series/residuals", shape: [count, horizon, width])
        let marginals =
            file.tensors[prefix + "series/marginal"] == nil
            ? nil : try file.values(prefix + "series/marginal", shape: [count, width])
        let rows = try file.values(prefix + "series/own", shape: [count])
        let owned = rows.count { $0 >= 0 }
        let kernels = owned > 0 ? try file.values(prefix + "own/kernel", shape: [owned, lags, horizon]) : []
        let biases = owned > 0 ? try file.values(prefix + "own/bias", shape: [owned, horizon]) : []
        guard rows.allSatisfy({ $0 >= -1 && $0 < Float(owned) }), (0..<count).allSatisfy({ scales[2 * $0] > 0 }) else {
            throw .malformedFile("the series of \(prefix) have no weights or no scale")
        }
        var members: [SeriesID: Member] = [:]
        for index in 0..<count {
            let bits = (0..<4).reduce(UInt64(0)) {
                $0 | UInt64(max(0, min(ids[4 * index + $1], 65_535))) << (16 * UInt64($1))
            }
            let row = Int(rows[index])
            let own =
                row < 0
                ? nil
                : LinearWeights(
                    kernel: Array(kernels[row * lags * horizon..<(row + 1) * lags * horizon]),
                    bias: Array(biases[row * horizon..<(row + 1) * horizon]))
            members[SeriesID(Int64(bitPattern: bits))] = Member(
                row: index, scale: scales[2 * index], center: scales[2 * index + 1], own: own,
                residuals: Array(residuals[index * horizon * width..<(index + 1) * horizon * width]),
                marginal: marginals.map { Array($0[index * width..<(index + 1) * width]) } ?? [])
        }
        return members
    }
}

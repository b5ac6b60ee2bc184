import Basics
import Forecasting
import TimeSeries

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The comparison of a real daemon with the oracle.
extension RealWorld {
    var database: String { "\(folder)/state/nilo.db" }

    private struct State: Decodable {
        var sha256: String
        var method: String
    }

    func check() {
        guard failure == nil, let daemon else { return }
        do {
            let found = try stored()
            for name in Set(found.keys).union(oracle.series.keys).sorted() {
                guard isSame(found[name] ?? [:], oracle.readings(of: name)) else {
                    return fail("what was acknowledged is stored, and nothing else", name)
                }
            }
            for name in oracle.series.keys.sorted() {
                do {
                    try daemon.call("GetState", ["series": name]) { (state: State) in
                        do {
                            try compare(name, state)
                        } catch {
                            fail("a database can be read", "\(error)")
                        }
                    }
                } catch RealDaemon.Failed.refused {
                    // No forecaster, or too few readings.
                    continue
                }
            }
        } catch {
            fail("a daemon answers", "\(error)")
        }
    }

    private func compare(_ name: String, _ state: State) throws {
        let inspector = try Inspector(path: database)
        guard let number = try inspector.series()[name], let series = oracle.series[name],
            let epoch = try inspector.epochs(outages: [:])[number],
            let row = try inspector.version(epoch.version),
            let method = ForecasterModels.methods(PluginState()).first(where: { $0.manifest.name == row.method })
        else { return }
        if models[epoch.version] == nil {
            let specification = try JSONDecoder().decode(ForecastSpecification.self, from: Data(row.parameters.utf8))
            let model = try method.load(weights: row.weights, specification: specification)
            models[epoch.version] = (ServedModel(model, specification: specification), specification)
        }
        guard let (model, specification) = models[epoch.version] else { return }
        let inputs = Replay.inputs(of: series, epoch, lags: model.lags) { _ in 0 }
        var stepping = Stepping(series: number)
        guard let cadence = series.cadence,
            let outcome = stepping.run(
                inputs, model, forecastCount: specification.forecastCount, cadence: cadence,
                firstOwn: epoch.fromSlot ?? .min)
        else { return }
        counts["states", default: 0] += 1
        let bytes = outcome.open.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
        guard SHA256.hex(of: bytes) != state.sha256 else { return }
        fail("a state is a replay of its readings, bit for bit", "\(name), \(state.method), slot \(outcome.slot)")
    }
}

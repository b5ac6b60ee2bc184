import Basics
import Forecasting
import HoltWintersForecaster
import LSTMForecaster
import LinearARForecaster
import PluginHost
import Recurrent
import SeasonalNaiveForecaster
import TimeSeries

/// The forecasting methods that are linked in, and the kernels they compute with.
enum Methods {
    private static let single: [any ForecastingMethod] = [
        LSTMMethod(), LinearAR(), HoltWinters(), SeasonalNaive(),
    ]
    static let all: [any ForecastingMethod] = single + [MixMethod(of: single)]
    static let kernels = Kernels.best
}

/// The methods that a configuration may name: those that are linked in, and plugins.
struct KnownMethods {
    let names: [String]
    private let manifests: [String: Manifest]
    private let trainable: Set<String>

    init(_ plugins: [FoundPlugin]) {
        var manifests = Dictionary(
            keepingFirst: Methods.all.map { ($0.manifest.name, $0.manifest) })
        var names = Methods.all.map(\.manifest.name)
        var trainable = Set(Methods.all.filter { $0 is any TrainableMethod }.map(\.manifest.name))
        for plugin in plugins {
            switch plugin {
            case .usable(let plugin):
                names.append(plugin.manifest.name)
                manifests[plugin.manifest.name] = plugin.manifest
                if plugin.isTrainable { trainable.insert(plugin.manifest.name) }
            case .refused(let name, _, _):
                // One damaged manifest must not keep everything else from starting: its opponents serve meanwhile.
                if NameRule.allows(name), !names.contains(name) { names.append(name) }
            }
        }
        (self.names, self.manifests, self.trainable) = (names, manifests, trainable)
    }

    /// nil for a plugin whose manifest cannot be used.
    func manifest(_ name: String) -> Manifest? { manifests[name] }
    func isTrainable(_ name: String) -> Bool { trainable.contains(name) }
}

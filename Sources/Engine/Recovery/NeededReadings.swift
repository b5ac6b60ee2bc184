import Basics
import Forecasting
import Storage
import TimeSeries

/// From when on the readings of a series are needed after a restart: to rebuild its state, to know its newest slot, and
/// how many readings the slots hold that can still take some.
///
/// Recovery reads from there on, and retention keeps what lies after.
struct NeededReadings {
    private let store: Store
    private let catalog: ModelCatalog
    private let versions: [Int64: ModelVersion]

    /// - Throws: `StorageError` if the versions cannot be read.
    init(store: Store, catalog: ModelCatalog) throws {
        (self.store, self.catalog) = (store, catalog)
        // Read once, because many series ask.
        versions = Dictionary(keepingFirst: try store.modelVersions(of: nil).map { ($0.id, $0) })
    }

    /// - Parameters:
    ///   - checkpoint: the slot of the checkpoint that a replay begins with, which is the lateness behind the newest; nil:
    ///     at the beginning of the epoch.
    ///   - lateness: in slots.
    static func oldest(
        _ epoch: Epoch, from checkpoint: Slot?, _ cadence: Cadence?, lateness: Int?, _ model: ServedModel
    ) -> Timestamp {
        guard let cadence else { return .distantPast }
        let lags = Slot(max(model.lags.last ?? 0, SeriesState.chartSlots))
        if let checkpoint { return cadence.start(of: checkpoint - lags) }
        let reach = max(Slot(epoch.warmUp) + lags, Slot(lateness ?? 0))
        return epoch.fromSlot.map { cadence.start(of: $0 - reach) } ?? .distantPast
    }

    /// The time for a series as the database is now.
    ///
    /// The older of its checkpoints counts, because the newer one may be damaged by the time that it is read.
    ///
    /// - Parameters:
    ///   - frontier: its newest slot.
    ///   - lateness: in slots.
    func oldest(of series: SeriesID, _ cadence: Cadence?, frontier: Slot?, lateness: Int?) throws -> Timestamp {
        guard let cadence, let frontier else { return .distantPast }
        guard let (epoch, checkpoint) = try store.replayStart(of: series) else { return cadence.start(of: frontier) }
        guard let version = versions[epoch.version], let loaded = try? catalog.load(version) else {
            return .distantPast
        }
        return min(
            cadence.start(of: frontier), Self.oldest(epoch, from: checkpoint, cadence, lateness: lateness, loaded.model)
        )
    }
}

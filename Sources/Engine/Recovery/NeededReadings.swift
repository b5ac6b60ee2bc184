import Basics
import Forecasting
import Storage
import TimeSeries

/// From when on the readings of a series are needed after a restart: to rebuild its state, and to know its newest slot.
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

    /// - Parameter checkpoint: the slot of the checkpoint that a replay begins with; nil: at the beginning of the epoch.
    static func oldest(
        _ epoch: Epoch, from checkpoint: Slot?, _ cadence: Cadence?, _ model: ServedModel
    ) -> Timestamp {
        guard let cadence else { return .distantPast }
        let lags = Slot(max(model.lags.last ?? 0, SeriesState.chartSlots))
        if let checkpoint { return cadence.start(of: checkpoint - lags) }
        return epoch.fromSlot.map { cadence.start(of: $0 - Slot(epoch.warmUp) - lags) } ?? .distantPast
    }

    /// The time for a series as the database is now.
    ///
    /// The older of its checkpoints counts, because the newer one may be damaged by the time that it is read.
    ///
    /// - Parameter frontier: its newest slot.
    func oldest(of series: SeriesID, _ cadence: Cadence?, frontier: Slot?) throws -> Timestamp {
        guard let cadence, let frontier else { return .distantPast }
        guard let (epoch, checkpoint) = try store.replayStart(of: series) else { return cadence.start(of: frontier) }
        guard let version = versions[epoch.version], let loaded = try? catalog.load(version) else {
            return .distantPast
        }
        return min(
            cadence.start(of: frontier), Self.oldest(epoch, from: checkpoint, cadence, loaded.model))
    }
}

import Basics
import Forecasting
import Storage
import TimeSeries

/// A change of the models that serve some series: promotion, rollback, reset or another configuration.
///
/// Everything that may fail comes before the commit: models are loaded, and histories are read up to the position at
/// which the change was planned. Then database and shards change together, in one command on the writer's thread, so
/// that no reading and no other change comes between the two. Changes run one at a time, see ``ModelChanges``.
struct ModelChange: Sendable {
    /// The change of one series.
    struct Part: Sendable {
        /// nil: the series no longer has a forecaster.
        var service: Service?
        var cause: Cause
        /// nil: unchanged.
        var grid: Grid?
    }

    /// The new slot grid of a series whose cadence changes.
    struct Grid: Sendable {
        var cadence: Cadence
        var latenessSlots: Int
        var reason: String

        /// nil if the rule declares no cadence or the current one, or if the series has none yet.
        init?(declaredBy rule: SeriesRule, for known: Cadence?) {
            guard let cadence = rule.cadence, let known, cadence != known, !PlantedBug.declaredCadenceIgnored.isActive
            else { return nil }
            self.cadence = cadence
            latenessSlots = rule.latenessSlots(of: cadence)
            reason = "cadence changed from \(Self.text(known)) to \(Self.text(cadence))"
        }

        private static func text(_ cadence: Cadence) -> String { "\(Double(cadence.nanoseconds) / 1e9) s" }
    }

    /// What serves a series after the change.
    struct Service: Sendable {
        var version: LoadedVersion
        var setting: EpochSetting
        /// Slots to replay before the epoch; 0 starts from the initial state.
        var warmUp: Int
    }

    var parts: [SeriesID: Part]
    /// The calendar of the settings' time zone.
    var calendar: LocalCalendar
    /// The forecaster's new champion, if the change promotes one.
    var champion: (forecaster: String, version: Int64)?
    /// The configuration that becomes current with the change.
    var adoption: Adoption?

    struct Adoption: Sendable {
        var configuration: EngineConfiguration
        var firstVersions: [String: FirstVersion]
        /// The new forecaster of each series whose forecaster changes.
        var forecasters: [SeriesID: String?]
    }
}

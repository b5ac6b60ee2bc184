import Forecasting
import Storage
import TimeSeries

/// A change of the models that serve some series: promotion, rollback, reset, another configuration.
///
/// All that may fail comes before the commit: models are loaded and histories read up to the position at which the change
/// was planned. Then the database and the shards change together, in one command on the writer's thread, so that no reading
/// and no other change lies between the two. One change follows the other, see ``ModelChanges``.
struct ModelChange: Sendable {
    /// What becomes of one series.
    struct Part: Sendable {
        /// nil: no forecaster any more.
        var service: Service?
        var cause: Cause
        /// nil: as it is.
        var grid: Grid?
    }

    /// The slots of a series, when they are other ones from now on.
    struct Grid: Sendable {
        var cadence: Cadence
        var latenessSlots: Int
        var reason: String

        /// nil if the rule declares no cadence, or the one that the series has; and before it has any.
        init?(declaredBy rule: SeriesRule, for known: Cadence?) {
            guard let cadence = rule.cadence, let known, cadence != known else { return nil }
            self.cadence = cadence
            latenessSlots = rule.latenessSlots(of: cadence)
            reason = "cadence changed from \(Self.text(known)) to \(Self.text(cadence))"
        }

        private static func text(_ cadence: Cadence) -> String { "\(Double(cadence.nanoseconds) / 1e9) s" }
    }

    /// What serves a series from now on.
    struct Service: Sendable {
        var version: LoadedVersion
        var setting: EpochSetting
        /// Slots to replay before the epoch; 0 starts from the initial state.
        var warmUp: Int
    }

    var parts: [SeriesID: Part]
    /// Of the settings' time zone.
    var calendar: LocalCalendar
    /// The forecaster's champion from now on, if this promotes one.
    var champion: (forecaster: String, version: Int64)?
    /// The configuration that becomes the current one with it.
    var adoption: Adoption?

    struct Adoption: Sendable {
        var configuration: EngineConfiguration
        var firstVersions: [String: FirstVersion]
        /// The forecaster of each series whose forecaster is another from now on.
        var forecasters: [SeriesID: String?]
    }
}

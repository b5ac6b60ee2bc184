import Forecasting
import TimeSeries

/// The local clock of a time zone, for calendar features.
///
/// An object, so that two places in code tell at once whether they mean the same one.
public final class LocalCalendar: Sendable {
    /// The zone's name in the tz database, which stands for its rules.
    public let name: String
    /// Seconds to add to UTC at an instant given in seconds since the epoch.
    public let utcOffset: @Sendable (Int64) -> Int32

    public init(name: String, utcOffset: @escaping @Sendable (Int64) -> Int32) {
        (self.name, self.utcOffset) = (name, utcOffset)
    }

    public static let utc = LocalCalendar(name: "UTC") { _ in 0 }

    /// Where in the local calendar `slot` begins.
    func time(of slot: Slot, cadence: Cadence) -> CalendarTime {
        let seconds = cadence.start(of: slot).seconds
        return CalendarTime(
            localSeconds: seconds + Int64(utcOffset(seconds)), cadenceSeconds: Float(cadence.nanoseconds) / 1e9)
    }
}

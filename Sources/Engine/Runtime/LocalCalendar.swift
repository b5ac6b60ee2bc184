import Forecasting
import TimeSeries

/// The local time of a time zone, for calendar features.
///
/// A class, so that identity comparison shows at once whether two calendars are the same.
public final class LocalCalendar: Sendable {
    /// The zone's name in the tz database, which identifies its rules.
    public let name: String
    /// The offset from UTC in seconds at an instant given in seconds since 1970.
    public let utcOffset: @Sendable (Int64) -> Int32

    public init(name: String, utcOffset: @escaping @Sendable (Int64) -> Int32) {
        (self.name, self.utcOffset) = (name, utcOffset)
    }

    public static let utc = LocalCalendar(name: "UTC") { _ in 0 }

    /// The local calendar time at which `slot` begins.
    func time(of slot: Slot, cadence: Cadence) -> CalendarTime {
        let seconds = cadence.start(of: slot).seconds
        return CalendarTime(
            localSeconds: seconds + Int64(utcOffset(seconds)), cadenceSeconds: Float(cadence.nanoseconds) / 1e9)
    }
}

import Forecasting
import TimeSeries

/// The local clock of the configured time zone, for calendar features.
public struct LocalCalendar: Sendable {
    /// Seconds to add to UTC at an instant given in seconds since the epoch.
    public let utcOffset: @Sendable (Int64) -> Int32

    public init(utcOffset: @escaping @Sendable (Int64) -> Int32) { self.utcOffset = utcOffset }

    public static let utc = LocalCalendar { _ in 0 }

    /// Where in the local calendar `slot` begins.
    func time(of slot: Slot, cadence: Cadence) -> CalendarTime {
        let seconds = cadence.start(of: slot).seconds
        return CalendarTime(
            localSeconds: seconds + Int64(utcOffset(seconds)), cadenceSeconds: Float(cadence.nanoseconds) / 1e9)
    }
}

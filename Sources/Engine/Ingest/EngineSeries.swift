import Storage
public import TimeSeries

/// Removal of series and readings.
extension Engine {
    /// Removes the selected series with their readings.
    ///
    /// - Returns: their names.
    public func forget(_ selector: SeriesSelector) async throws -> [String] {
        let matching = directory.matching(selector)
        try await changes.forget(matching.map(\.id))
        return matching.map(\.key.description)
    }

    /// Lets everything that has expired by now be removed immediately, instead of a limited share per day.
    ///
    /// - Returns: the reference time of the expiry: the clock's time, or that of the newest reading if it is earlier.
    public func expireNow() async throws -> Timestamp { try await writer.run(ConfirmExpiry()) }
}

import Storage
public import TimeSeries

/// What removes series and readings.
extension Engine {
    /// Removes the selected series with their readings.
    ///
    /// - Returns: their names.
    public func forget(_ selector: SeriesSelector) async throws -> [String] {
        let matching = directory.matching(selector)
        try await changes.forget(matching.map(\.id))
        return matching.map(\.key.description)
    }

    /// Lets all that has expired by now be removed at once, where the daemon alone would take a share of it a day.
    ///
    /// - Returns: the time that expiry goes by: the clock's, or that of the newest reading if that is earlier.
    public func expireNow() async throws -> Timestamp { try await writer.run(ConfirmExpiry()) }
}

public import TimeSeries

/// One series of a data file, with its rows in the file's order.
public struct DataSeries: Sendable {
    public var name: String
    /// Its key in the engine.
    var key: SeriesKey
    public var timestamps: [Timestamp] = []
    /// NaN where the file has no value.
    public var values: [Double] = []

    public var count: Int { values.count }

    /// - Parameter name: `measurement,tag=value field`, as in exports, or any other text.
    init(name: String) {
        self.name = name
        key = (try? SeriesKey(parsing: name)) ?? SeriesKey(measurement: name, tags: [], field: "value")
    }
}

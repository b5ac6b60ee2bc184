public import TimeSeries

/// The slot values of several series over one window, for training and scoring.
public struct Panel: Sendable {
    /// One column of the panel.
    public struct Series: Sendable {
        public var id: SeriesID
        public var key: String
        public var cadence: Cadence
        /// The slot of the first value.
        public var start: Slot
        /// One value per slot in ascending order; NaN where there was no reading.
        public var values: [Float]
        /// The offset of local time from UTC in seconds, one per value.
        public var utcOffsets: [Int32]

        public init(
            id: SeriesID, key: String, cadence: Cadence, start: Slot, values: [Float], utcOffsets: [Int32]
        ) {
            self.id = id
            self.key = key
            self.cadence = cadence
            self.start = start
            self.values = values
            self.utcOffsets = utcOffsets
        }

        /// The local time of the value at `index`.
        public func calendar(at index: Int) -> CalendarTime {
            let utc = cadence.start(of: start + Int64(index)).seconds
            return CalendarTime(
                localSeconds: utc + Int64(utcOffsets[index]),
                cadenceSeconds: Float(cadence.nanoseconds) / 1e9)
        }
    }

    public var series: [Series]

    public init(series: [Series]) { self.series = series }

    /// The panel without the last `fraction` of every series: the part that a method may train on.
    public func droppingLast(fraction: Double) -> Panel {
        Panel(
            series: series.map { column in
                var cut = column
                let kept = column.values.count - Int(Double(column.values.count) * fraction)
                cut.values = Array(column.values.prefix(kept))
                cut.utcOffsets = Array(column.utcOffsets.prefix(kept))
                return cut
            })
    }
}

/// The progress of a training run.
public struct TrainingProgress: Sendable, Hashable, Codable {
    /// The number of completed optimizer steps (or epochs), and the total number.
    public var done: Int
    public var total: Int
    /// The recent training loss.
    public var loss: Double
    /// An additional remark on the run.
    public var note: TrainingNote?

    public init(done: Int, total: Int, loss: Double, note: TrainingNote? = nil) {
        self.done = done
        self.total = total
        self.loss = loss
        self.note = note
    }
}

/// The result of a training run.
public struct TrainedWeights: Sendable {
    /// A weights file for ``ForecastingMethod/load(weights:specification:)``.
    public var weights: [UInt8]
    /// Metrics of the run by name: loss, epochs, seconds.
    public var metrics: [String: Double]

    public init(weights: [UInt8], metrics: [String: Double]) {
        self.weights = weights
        self.metrics = metrics
    }
}

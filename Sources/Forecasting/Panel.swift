public import TimeSeries

/// The slot values of several series over one window, to train and score on.
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
        /// Seconds to add to UTC for the local clock, one per value.
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

        /// The calendar position of value `index`.
        public func calendar(at index: Int) -> CalendarTime {
            let utc = cadence.start(of: start + Int64(index)).seconds
            return CalendarTime(
                localSeconds: utc + Int64(utcOffsets[index]),
                cadenceSeconds: Float(cadence.nanoseconds) / 1e9)
        }
    }

    public var series: [Series]

    public init(series: [Series]) { self.series = series }

    /// The panel cut before the last `fraction` of every series: what a method may train on.
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

/// How far a training run has come.
public struct TrainingProgress: Sendable, Hashable, Codable {
    /// Optimizer steps (or epochs) done, and how many there will be.
    public var done: Int
    public var total: Int
    /// The training loss of late.
    public var loss: Double
    /// What there is to say besides.
    public var note: TrainingNote?

    public init(done: Int, total: Int, loss: Double, note: TrainingNote? = nil) {
        self.done = done
        self.total = total
        self.loss = loss
        self.note = note
    }
}

/// What a training run gave.
public struct TrainedWeights: Sendable {
    /// A weights file, as ``ForecastingMethod/load(weights:specification:)`` reads it.
    public var weights: [UInt8]
    /// Named numbers about the run: loss, epochs, seconds.
    public var metrics: [String: Double]

    public init(weights: [UInt8], metrics: [String: Double]) {
        self.weights = weights
        self.metrics = metrics
    }
}

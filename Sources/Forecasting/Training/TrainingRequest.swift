public import TimeSeries

/// The task of a training run: the `order.json` in its folder.
public struct TrainingRequest: Sendable, Codable {
    /// A model with which to compare the new one.
    public struct Contender: Sendable, Codable {
        /// Unique within the request.
        public var name: String
        public var method: String
        public var specification: ForecastSpecification
        /// A file in the folder; nil for a method without weights.
        public var weightsFile: String?

        public init(name: String, method: String, specification: ForecastSpecification, weightsFile: String?) {
            self.name = name
            self.method = method
            self.specification = specification
            self.weightsFile = weightsFile
        }
    }

    /// One row of `panel.npy`.
    public struct Column: Sendable, Codable {
        public var id: SeriesID
        public var key: String
        public var cadence: Cadence
        public var start: Slot
        public var count: Int
        /// The offset of local time from UTC in seconds, by the index at which it starts to apply.
        public var utcOffsets: [Int: Int32]
    }

    public var method: String
    public var specification: ForecastSpecification
    /// The fraction at the end of every series that is not used for training.
    public var holdout: Double
    public var contenders: [Contender]
    /// A file in the folder with the weights to continue from; nil to start from scratch.
    public var startFile: String?
    /// Why there are no such weights although the configuration asks for them.
    public var startMisfit: TrainingNote.Misfit?
    public var columns: [Column]

    public init(
        method: String, specification: ForecastSpecification, holdout: Double, contenders: [Contender],
        startFile: String? = nil, startMisfit: TrainingNote.Misfit? = nil, panel: Panel
    ) {
        self.method = method
        self.startFile = startFile
        self.startMisfit = startMisfit
        self.specification = specification
        self.holdout = holdout
        self.contenders = contenders
        columns = panel.series.map(Column.init)
    }

    /// The name of the file with the weights to continue from.
    public static let start = "start"

    /// The name of the new model among the contenders.
    public static let candidate = "candidate"
}

extension TrainingRequest.Column {
    private enum Key: String, CodingKey { case id, key, cadence, start, count, utcOffsets }

    // Plain numbers, because other languages read this file too.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        guard let cadence = Cadence(nanoseconds: try container.decode(Int64.self, forKey: .cadence)) else {
            throw ForecastingError.badFile("the index of a panel", reason: "a cadence that is not above zero")
        }
        self.cadence = cadence
        id = SeriesID(try container.decode(Int64.self, forKey: .id))
        key = try container.decode(String.self, forKey: .key)
        start = try container.decode(Slot.self, forKey: .start)
        count = try container.decode(Int.self, forKey: .count)
        utcOffsets = try container.decode([Int: Int32].self, forKey: .utcOffsets)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(id.rawValue, forKey: .id)
        try container.encode(key, forKey: .key)
        try container.encode(cadence.nanoseconds, forKey: .cadence)
        try container.encode(start, forKey: .start)
        try container.encode(count, forKey: .count)
        try container.encode(utcOffsets, forKey: .utcOffsets)
    }

    init(_ series: Panel.Series) {
        (id, key, cadence, start) = (series.id, series.key, series.cadence, series.start)
        count = series.values.count
        utcOffsets = [:]
        for (index, offset) in series.utcOffsets.enumerated() where index == 0 || series.utcOffsets[index - 1] != offset
        {
            utcOffsets[index] = offset
        }
    }

    /// The column with its values.
    func series(_ values: [Float]) -> Panel.Series {
        var offset: Int32 = 0
        let offsets = (0..<values.count).map { index in
            offset = utcOffsets[index] ?? offset
            return offset
        }
        return Panel.Series(id: id, key: key, cadence: cadence, start: start, values: values, utcOffsets: offsets)
    }
}

/// The outcome of a training run: the `result.json` in its folder.
public struct TrainingResult: Sendable, Codable {
    /// Metrics of the run: loss, steps, seconds.
    public var metrics: [String: Double]
    /// By contender, including the candidate: one score per column of the request, nil where there was nothing to
    /// score.
    public var scores: [String: [SeriesScore?]]
    /// The remarks made during the run.
    public var notes: [TrainingNote]

    public init(metrics: [String: Double], scores: [String: [SeriesScore?]], notes: [TrainingNote] = []) {
        self.metrics = metrics
        self.scores = scores
        self.notes = notes
    }

    /// Whether training continued from the given weights; a method that makes no remark is assumed to have done so.
    public var wentOn: Bool {
        notes.isEmpty || notes.contains { if case .goesOn = $0 { true } else { false } }
    }
}

// The named types of the interface for forecast accuracy; org.nilometer.Control.varlink documents them.

public struct Expert: Codable, Sendable {
    public var name: String
    public var weight: Double

    public init(name: String, weight: Double) {
        self.name = name
        self.weight = weight
    }
}

public struct LeadScore: Codable, Sendable {
    public var lead: Int
    public var truths: Int
    public var pinball: Double
    public var mase: Double

    public init(lead: Int, truths: Int, pinball: Double, mase: Double) {
        self.lead = lead
        self.truths = truths
        self.pinball = pinball
        self.mase = mase
    }
}

public struct LeadCoverage: Codable, Sendable {
    public var lead: Int
    public var truths: Int
    public var outer: Int
    public var inner: Int

    public init(lead: Int, truths: Int, outer: Int, inner: Int) {
        self.lead = lead
        self.truths = truths
        self.outer = outer
        self.inner = inner
    }
}

public struct ForecasterCoverage: Codable, Sendable {
    public var forecaster: String
    public var coverage: [LeadCoverage]

    public init(forecaster: String, coverage: [LeadCoverage]) {
        self.forecaster = forecaster
        self.coverage = coverage
    }
}

public struct SeriesScores: Codable, Sendable {
    public var series: String
    public var forecaster: String
    public var method: String
    public var modelVersion: Int
    public var experts: [Expert]
    public var scores: [LeadScore]
    public var coverage: [LeadCoverage]
    public var nominalOuter: Double
    public var nominalInner: Double
    public var drift: Double?
    public var tail: Double?

    public init(
        series: String, forecaster: String, method: String, modelVersion: Int, experts: [Expert],
        scores: [LeadScore], coverage: [LeadCoverage], nominalOuter: Double, nominalInner: Double,
        drift: Double? = nil, tail: Double? = nil
    ) {
        self.series = series
        self.forecaster = forecaster
        self.method = method
        self.modelVersion = modelVersion
        self.experts = experts
        self.scores = scores
        self.coverage = coverage
        self.nominalOuter = nominalOuter
        self.nominalInner = nominalInner
        self.drift = drift
        self.tail = tail
    }
}

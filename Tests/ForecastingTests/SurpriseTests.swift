import Forecasting
import HoltWintersForecaster
import Testing
import TimeSeries

/// One series through Holt-Winters, slot by slot.
private struct JudgedWalk {
    private let served: ServedModel
    private let forecastCount: Int
    private(set) var state: [Float]
    private var slot: Slot = 0

    init() throws {
        let levels = try #require(QuantileLevels([0.025, 0.1, 0.5, 0.9, 0.975]))
        let specification = ForecastSpecification(horizon: 1, quantiles: levels)
        served = ServedModel(
            try HoltWinters().load(weights: [], specification: specification), specification: specification)
        forecastCount = specification.forecastCount
        state = served.initialState
    }

    /// - Returns: the tail probability of the slot, and how unusual it is.
    mutating func step(_ value: Float) -> (tail: Float?, surprise: Float) {
        var batch = AdvanceBatch(count: 1, model: served, forecastCount: forecastCount, wantsForecasts: true)
        batch.states = state
        batch.slots[0] = slot
        batch.values[0] = value
        batch.calendar[0] = CalendarTime(localSeconds: slot * 300, cadenceSeconds: 300)
        served.advance(&batch)
        state = batch.states
        slot += 1
        return served.surprise(of: state)
    }

    mutating func surprises(_ values: some Sequence<Float>) -> [Float] { values.map { step($0).surprise } }
}

/// Uniform numbers from 0 to 1; equal seeds give equal numbers.
private func noise(_ count: Int, seed: UInt64) -> [Float] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(state >> 40) * 0x1p-24
    }
}

@Suite("How unusual a slot is for its series")
struct SurpriseTests {
    @Test("a constant series surprises nobody, and its first other value does")
    func constant() throws {
        var walk = try JudgedWalk()
        #expect(walk.surprises(Array(repeating: 21.3, count: 300)).allSatisfy { $0 == 0 })
        #expect(walk.step(21.4).surprise >= 6)
    }

    @Test("what lasts is told once: after a shift of the level the series is quiet again")
    func shift() throws {
        var walk = try JudgedWalk()
        _ = walk.surprises(noise(1_000, seed: 1))
        let after = walk.surprises(noise(300, seed: 2).map { $0 + 20 })
        #expect(after[0] > 6)
        #expect(after.dropFirst(40).allSatisfy { $0 < 2 })
    }

    @Test("a series that is full of spikes surprises seldom, however small its tail probabilities are")
    func spikes() throws {
        var walk = try JudgedWalk()
        let heights = noise(4_000, seed: 3)
        let steps = heights.enumerated().map { walk.step($0 % 40 == 0 ? 100 + 100 * $1 : $1) }
        let late = steps.dropFirst(1_000)
        #expect(late.count { $0.tail.map { $0 < 1e-4 } ?? false } > 30)
        #expect(late.count { $0.surprise > 3 } <= 8)
    }

    @Test("a sensor that is stuck in the middle of its range is unusual, though each of its values is likely")
    func stuck() throws {
        var walk = try JudgedWalk()
        _ = walk.surprises(noise(1_500, seed: 4))
        var surprises: [Float] = []
        for _ in 0..<60 {
            let step = walk.step(0.5)
            #expect(try #require(step.tail) > 0.05)
            surprises.append(step.surprise)
        }
        // It shows slot by slot; what is left of one alarm is taken off the next.
        #expect(surprises.reduce(0, +) > 3)
    }

    @Test("a value that no forecast was made for is held against the series' own values all the same")
    func afterGap() throws {
        var walk = try JudgedWalk()
        _ = walk.surprises(noise(500, seed: 5))
        #expect(walk.step(.nan).surprise == 0)
        let step = walk.step(50)
        #expect(step.tail == nil && step.surprise > 3)
    }

    @Test("the unit of a series does not matter")
    func units() throws {
        var (one, other) = (try JudgedWalk(), try JudgedWalk())
        let values = noise(800, seed: 6).enumerated().map { $0 == 700 ? 5 : $1 }
        let (small, large) = (one.surprises(values), other.surprises(values.map { $0 * 1_024 }))
        #expect(zip(small, large).allSatisfy { abs($0 - $1) < 0.01 })
    }

    @Test("the largest and the smallest values leave every number finite")
    func extremes() throws {
        var walk = try JudgedWalk()
        _ = walk.surprises(noise(400, seed: 7))
        let fault = (0..<40).map { $0.isMultiple(of: 2) ? Float.greatestFiniteMagnitude : -.greatestFiniteMagnitude }
        #expect(walk.surprises(fault).allSatisfy { (0...20).contains($0) })
        #expect(walk.surprises(noise(1_000, seed: 8)).allSatisfy { (0...20).contains($0) })
    }

    @Test("a gross fault is forgotten some day")
    func forgetting() throws {
        var walk = try JudgedWalk()
        _ = walk.surprises(noise(400, seed: 7))
        _ = walk.surprises(noise(40, seed: 8).map { $0 * 1e6 })
        _ = walk.surprises(noise(100_000, seed: 9))
        #expect(walk.step(30).surprise > 6)
    }
}

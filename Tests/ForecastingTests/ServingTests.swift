import Forecasting
import HoltWintersForecaster
import SeasonalNaiveForecaster
import Testing
import TimeSeries

/// The same forecasts at every slot, to see what serving makes of them.
private final class FanModel: ForecastModel {
    let stateCount = 1
    let lags: [Int] = []
    let initialState: [Float] = [0]
    let experts: [Expert]
    let summary = "a fan"
    private let horizon: Int
    /// `[experts][quantiles]`.
    private let fans: [[Float]]

    init(_ fans: [[Float]], horizon: Int) {
        (self.fans, self.horizon) = (fans, horizon)
        experts = fans.indices.map { Expert(name: "fan \($0)", prior: 1) }
    }

    func advance(_ batch: inout AdvanceBatch) {
        for row in 0..<batch.count {
            if !batch.values[row].isNaN { batch.states[row] = batch.values[row] }
            guard batch.wantsForecasts else { continue }
            var place = row * fans.count * horizon * fans[0].count
            for fan in fans {
                for _ in 0..<horizon {
                    for offset in fan {
                        batch.forecasts[place] = offset
                        place += 1
                    }
                }
            }
        }
    }
}

/// Steps one series through a served model.
private struct ServedWalk {
    let served: ServedModel
    let specification: ForecastSpecification
    var state: [Float]
    var slot: Slot = 1_000
    static let cadence: Int64 = 3_600

    init(_ model: any ForecastModel, _ specification: ForecastSpecification) {
        served = ServedModel(model, specification: specification)
        self.specification = specification
        state = served.initialState
    }

    mutating func step(_ value: Float) -> [Float] {
        var batch = AdvanceBatch(
            count: 1, model: served, forecastCount: specification.forecastCount, wantsForecasts: true)
        batch.states = state
        batch.slots[0] = slot
        batch.values[0] = value
        batch.calendar[0] = CalendarTime(localSeconds: slot * Self.cadence, cadenceSeconds: Float(Self.cadence))
        served.advance(&batch)
        state = batch.states
        slot += 1
        return batch.forecasts
    }

    func report() throws -> ScoreReport {
        let cadence = try #require(Cadence(nanoseconds: Self.cadence * 1_000_000_000))
        return try #require(served.report(of: state, slot: slot - 1, cadence: cadence))
    }
}

/// A normal deviate by twelve uniform ones; equal seeds give equal numbers.
private struct Noise {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> Float {
        (0..<12).reduce(Float(-6)) { sum, _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return sum + Float(state >> 40) * 0x1p-24
        }
    }
}

@Suite("Forecasts as they are served")
struct ServingTests {
    private let levels: QuantileLevels
    private let specification: ForecastSpecification

    init() throws {
        levels = try #require(QuantileLevels([0.025, 0.1, 0.5, 0.9, 0.975]))
        specification = ForecastSpecification(horizon: 12, quantiles: levels)
    }

    @Test(
        "intervals that promise too much are widened until they keep it, and wide ones narrowed", arguments: [0.4, 2.5])
    func calibration(width: Float) {
        let fan: [Float] = [-1.96, -1.2816, 0.1, 1.2816, 1.96].map { $0 * width }
        var walk = ServedWalk(FanModel([fan], horizon: 12), specification)
        var noise = Noise(3)
        var pending: [(lead: Int, slot: Slot, row: [Float])] = []
        var (inner, outer, count) = (0, 0, 0)
        for index in 0..<9_000 {
            let value = noise.next()
            for item in pending where item.slot == walk.slot && index > 5_000 {
                count += 1
                if item.row[1] <= value, value <= item.row[3] { inner += 1 }
                if item.row[0] <= value, value <= item.row[4] { outer += 1 }
            }
            pending.removeAll { $0.slot <= walk.slot }
            let slot = walk.slot
            let forecast = walk.step(value)
            for lead in [1, 5, 12] {
                pending.append((lead, slot + Slot(lead), Array(forecast[(lead - 1) * 5..<lead * 5])))
            }
            #expect(forecast[2] == 0.1 * width, "the median is left alone")
        }
        #expect((0.77...0.83).contains(Double(inner) / Double(count)))
        #expect((0.93...0.97).contains(Double(outer) / Double(count)))
    }

    @Test("the expert that fares better gets the weight, and loses it when the series turns")
    func mix() throws {
        let fans: [[Float]] = [0, 10].map { center in [-2, -1.3, 0, 1.3, 2].map { $0 + center } }
        var walk = ServedWalk(FanModel(fans, horizon: 12), specification)
        var noise = Noise(5)
        for _ in 0..<400 { _ = walk.step(noise.next()) }
        var weights = try walk.report().experts.map(\.weight)
        #expect(weights[0] > 0.99)
        for _ in 0..<4_000 { _ = walk.step(noise.next() + 10) }
        weights = try walk.report().experts.map(\.weight)
        #expect(weights[1] > 0.99)
        #expect(abs(weights[0] + weights[1] - 1) < 1e-6)
    }

    @Test("an expert without an opinion has no say")
    func silentExpert() throws {
        let fans: [[Float]] = [[.nan, .nan, .nan, .nan, .nan], [-2, -1.3, 0, 1.3, 2]]
        var walk = ServedWalk(FanModel(fans, horizon: 12), specification)
        var noise = Noise(6)
        for _ in 0..<400 { #expect(walk.step(noise.next()).allSatisfy { $0.isFinite }) }
        #expect(try walk.report().experts[1].weight > 0.99)
    }

    @Test("scores are those of the forecasts that were issued")
    func scores() throws {
        var walk = ServedWalk(FanModel([[-1, -0.5, 0.2, 0.5, 1]], horizon: 12), specification)
        var noise = Noise(7)
        var issued: [Slot: [Float]] = [:]
        var (loss, error, inside, count) = (Float(0), Float(0), 0, 0)
        var last: (loss: Float, count: Int) = (0, 0)
        // A block of hours is a day; the last step ends one.
        while walk.slot % 24 != 23 || count == 0 || walk.slot < 1_200 {
            let (value, slot) = (noise.next(), walk.slot)
            if slot % 24 == 0 { (loss, error, inside, count, last) = (0, 0, 0, 0, (0, 0)) }
            if let row = issued[slot - 1]?.prefix(5) {
                loss += pinball(value, Array(row))
                error += abs(value - row[2])
                inside += row[0] <= value && value <= row[4] ? 1 : 0
                count += 1
            }
            if (slot - 12) % 6 == 0, let row = issued[slot - 12]?.suffix(5) {
                last = (last.loss + pinball(value, Array(row)), last.count + 1)
            }
            issued[slot] = walk.step(value)
        }
        let block = try #require(try walk.report().block)
        #expect(block.start == (walk.slot - 1) / 24 * 24 && block.slots == 24)
        #expect(block.leads.map(\.lead) == [1, 6, 12])
        #expect(block.leads[0].count == count && count == 23)
        #expect(abs(block.leads[0].loss - loss) < 1e-4 && abs(block.leads[0].error - error) < 1e-4)
        #expect(block.coverage[0].outer == inside)
        #expect(block.leads[2].count == last.count && abs(block.leads[2].loss - last.loss) < 1e-4)
        #expect(block.tails.prefix(23).allSatisfy { $0 > 0 })
    }

    private func pinball(_ truth: Float, _ row: [Float]) -> Float {
        zip(levels.levels, row).reduce(0) { sum, item in
            let difference = truth - item.1
            return sum + 2 * max(Float(item.0) * difference, Float(item.0 - 1) * difference) / Float(row.count)
        }
    }

    @Test("a constant series surprises nobody, a spike does, and both stay finite")
    func surprise() throws {
        var walk = ServedWalk(try SeasonalNaive().load(weights: [], specification: specification), specification)
        for _ in 0..<200 { #expect(walk.step(3).allSatisfy { $0 == 3 }) }
        #expect(try walk.report().tail == 1)
        _ = walk.step(4)
        let spike = try #require(try walk.report().tail)
        #expect(spike < 1e-3)
        for index in 0..<2_000 { #expect(walk.step(index % 50 == 0 ? 1e18 : 0).allSatisfy { $0.isFinite }) }
        var noisy = ServedWalk(try SeasonalNaive().load(weights: [], specification: specification), specification)
        var noise = Noise(9)
        for _ in 0..<500 { _ = noisy.step(noise.next()) }
        _ = noisy.step(40)
        let far = try #require(try noisy.report().tail)
        #expect(far < 1e-6)
    }

    @Test("a tail probability survives its eight bits to within a tenth of its logarithm")
    func tailBits() throws {
        #expect(SlotScores.tail(of: 0) == nil)
        #expect(SlotScores.tail(of: 1) == 1)
        for code in 2...255 as ClosedRange<UInt8> {
            let (smaller, larger) = (try #require(SlotScores.tail(of: code)), SlotScores.tail(of: code - 1))
            #expect(smaller < larger ?? 0 && smaller > 1e-10)
        }
    }

    @Test("a gap leaves no truths behind, and who shares the batch changes no bit")
    func batches() throws {
        let model = MixMethod(of: [HoltWinters(), SeasonalNaive()])
        let weights = try model.train(Panel(series: []), from: nil, specification: specification) { _ in }.weights
        let loaded = try model.load(weights: weights, specification: specification)
        let served = ServedModel(loaded, specification: specification)
        var alone = (0..<5).map { _ in ServedWalk(loaded, specification) }
        var states = (0..<5).flatMap { _ in served.initialState }
        var noise = Noise(11)
        for index in 0..<300 {
            let values = (0..<5).map { row in index % 37 < 5 && row == 2 ? Float.nan : noise.next() + Float(row) }
            var batch = AdvanceBatch(
                count: 5, model: served, forecastCount: specification.forecastCount, wantsForecasts: true)
            batch.states = states
            for row in 0..<5 {
                batch.slots[row] = alone[row].slot
                batch.values[row] = values[row]
                batch.calendar[row] = CalendarTime(
                    localSeconds: alone[row].slot * ServedWalk.cadence, cadenceSeconds: Float(ServedWalk.cadence))
            }
            served.advance(&batch)
            states = batch.states
            for row in 0..<5 {
                let count = specification.forecastCount
                let forecast = alone[row].step(values[row]).map(\.bitPattern)
                #expect(batch.forecasts[row * count..<(row + 1) * count].map(\.bitPattern) == forecast)
                let own = states[row * served.stateCount..<(row + 1) * served.stateCount]
                #expect(own.map(\.bitPattern) == alone[row].state.map(\.bitPattern))
            }
        }
    }

    @Test("a mix says which member or prior is wrong, and refuses weights that are cut off")
    func refusals() throws {
        let mix = MixMethod(of: [HoltWinters(), SeasonalNaive()])
        let bad: [(String, ParameterValue)] = [
            ("members", .list([])), ("members", .list([.string("prophet")])), ("members", .list([.integer(1)])),
            ("members", .list([.string("holt-winters"), .string("holt-winters")])), ("priors", .list([.number(1)])),
            ("priors", .list([.number(-1), .number(1)])), ("seasonal-naive.season", .integer(-3)),
            ("season", .integer(3)),
        ]
        for (name, value) in bad {
            let wrong = ForecastSpecification(horizon: 3, quantiles: levels, parameters: [name: value])
            #expect(throws: ForecastingError.self, "\(name) = \(value)") {
                try mix.train(Panel(series: []), from: nil, specification: wrong) { _ in }
            }
        }
        let weights = try mix.train(Panel(series: []), from: nil, specification: specification) { _ in }.weights
        for length in 0..<weights.count {
            #expect(throws: ForecastingError.self) {
                try mix.load(weights: Array(weights.prefix(length)), specification: specification)
            }
        }
    }
}

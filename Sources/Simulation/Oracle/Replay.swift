import Forecasting
import TimeSeries

/// The naive replay of a series: every slot from the first one of its epoch to the newest, one after the other.
///
/// Promotions and outages are given, as the promise says: the epoch and its outages are read from the database.
struct Replay {
    /// What began to serve a series, and from where on.
    struct Epoch: Equatable {
        var id: Int64
        var version: Int64
        /// nil: from the first reading on.
        var fromSlot: Slot?
        var warmUp: Int64
        /// Late readings up to this position belong to the warm-up.
        var position: Int64
        var maxGap: Int64
        var aggregate: Aggregate
        var timeZone: String
        /// The slots that the model gave no answer for.
        var outages: Set<ClosedRange<Slot>>
        /// How many epochs of the series are stored.
        var count = 1
    }

    /// One step of the model.
    struct Input: Equatable {
        var slot: Slot
        /// The bits of the value; those of NaN for none.
        var value: UInt32
        var lagged: [UInt32]
        var time: CalendarTime
        var isOutage: Bool
        /// Whether the warm-up ends before this step.
        var endsWarmUp: Bool
    }

    struct Outcome {
        /// The newest slot.
        var slot: Slot
        /// Before its step, and after it: `[stateCount]`.
        var closed: [Float]
        var open: [Float]
        /// From the newest slot: `[horizon][quantiles]`.
        var forecast: [Float]
        /// The scores of the slots after the warm-up, in blocks, by the first slot of each.
        var scores: [Slot: SlotScores]
    }

    /// The steps of a series; empty before it has a cadence.
    static func inputs(
        of series: Oracle.Series, _ epoch: Epoch, lags: [Int], utcOffset: (Int64) -> Int32
    ) -> [Input] {
        guard let cadence = series.cadence else { return [] }
        let values = slotValues(series, epoch, cadence)
        let bySlot = Dictionary(values, uniquingKeysWith: { first, _ in first })
        guard let newest = values.last?.0 else { return [] }
        let first = epoch.fromSlot.map { $0 - epoch.warmUp } ?? .min
        var inputs: [Input] = []
        var head: Slot?
        var lastWithValue: Slot?
        var index = values.firstIndex { $0.0 >= first } ?? values.count
        while index < values.count, head != newest {
            var slot = values[index].0
            // The first missing slots of a gap are stepped, the rest are skipped.
            if let head, let lastWithValue, head - lastWithValue < epoch.maxGap { slot = min(head + 1, slot) }
            let value = slot == values[index].0 ? values[index].1 : .nan
            let start = cadence.start(of: slot).seconds
            inputs.append(
                Input(
                    slot: slot, value: value.bitPattern,
                    lagged: lags.map { (bySlot[slot - Slot($0)] ?? .nan).bitPattern },
                    time: CalendarTime(
                        localSeconds: start + Int64(utcOffset(start)),
                        cadenceSeconds: Float(cadence.nanoseconds) / 1e9),
                    isOutage: slot < newest && epoch.outages.contains { $0.contains(slot) },
                    endsWarmUp: epoch.fromSlot.map { own in slot >= own && head.map { $0 < own } ?? false } ?? false))
            if slot == values[index].0 { index += 1 }
            if !value.isNaN { lastWithValue = slot }
            head = slot
        }
        return inputs
    }

    /// The slots that have readings, ascending, with the aggregates of those that the state is a function of.
    private static func slotValues(
        _ series: Oracle.Series, _ epoch: Epoch, _ cadence: Cadence
    ) -> [(Slot, Float)] {
        var readings: [Timestamp: Double] = [:]
        for entry in series.journal where entry.isFresh || entry.position <= epoch.position {
            readings[entry.timestamp] = entry.value
        }
        let slots = Dictionary(grouping: readings.sorted { $0.key < $1.key }) { cadence.slot(of: $0.key) }
        return slots.sorted { $0.key < $1.key }.map { slot, readings in
            let value = epoch.aggregate(readings.map(\.value)) ?? .nan
            // Beyond this, models would overflow: the slot has no value for them.
            return (slot, value.magnitude <= 1e18 ? Float(value) : .nan)
        }
    }
}

/// Steps a model through inputs, and remembers states, so that the next replay of the same series begins where its
/// inputs differ.
struct Stepping {
    /// The number of the series.
    let series: Int64
    private var inputs: [Replay.Input] = []
    /// After each ``spacing`` inputs, from the first on.
    private var states: [[Float]] = []
    private var scores: [Slot: SlotScores] = [:]

    private static let spacing = 32

    init(series: Int64) { self.series = series }

    /// - Parameter firstOwn: the first slot after the warm-up.
    mutating func run(
        _ new: [Replay.Input], _ model: ServedModel, forecastCount: Int, cadence: Cadence, firstOwn: Slot
    ) -> Replay.Outcome? {
        guard let last = new.last else { return nil }
        let equal = zip(inputs, new).prefix { $0 == $1 }.count
        states.removeLast(max(0, states.count - equal / Self.spacing))
        var index = states.count * Self.spacing
        scores = scores.filter { index < new.count && $0.value.start + Slot($0.value.slots) <= new[index].slot }
        let length = ServedModel.blockLength(of: cadence)
        var state = states.last ?? model.initialState
        inputs = new
        while index < new.count - 1 {
            state = step(state, new[index], model, forecastCount).state
            if floorDivide(new[index].slot, length) != floorDivide(new[index + 1].slot, length),
                let block = model.scores(of: state, slot: new[index].slot, cadence: cadence, from: firstOwn)
            {
                scores[block.start] = block
            }
            index += 1
            if index % Self.spacing == 0 { states.append(state) }
        }
        var closed = state
        if last.endsWarmUp { closed.withUnsafeMutableBufferPointer { $0.baseAddress.map(model.forgetScores) } }
        let open = step(state, last, model, forecastCount)
        var all = scores
        if let block = model.scores(of: open.state, slot: last.slot, cadence: cadence, from: firstOwn) {
            all[block.start] = block
        }
        return Replay.Outcome(
            slot: last.slot, closed: closed, open: open.state, forecast: open.forecast, scores: all)
    }

    private func step(
        _ before: [Float], _ input: Replay.Input, _ model: ServedModel, _ forecastCount: Int
    ) -> (state: [Float], forecast: [Float]) {
        var batch = AdvanceBatch(count: 1, model: model, forecastCount: forecastCount, wantsForecasts: true)
        batch.states = before
        if input.endsWarmUp {
            batch.states.withUnsafeMutableBufferPointer { $0.baseAddress.map(model.forgetScores) }
        }
        guard !input.isOutage else { return (batch.states, []) }
        batch.series = [SeriesID(series)]
        batch.slots = [input.slot]
        batch.values = [Float(bitPattern: input.value)]
        batch.lagged = input.lagged.map { Float(bitPattern: $0) }
        batch.calendar = [input.time]
        model.advance(&batch)
        return (batch.states, batch.forecasts)
    }
}

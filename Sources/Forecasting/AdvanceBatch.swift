public import TimeSeries

/// One step of `count` series under one model: states in and out, inputs in, forecasts out. All arrays are row-major.
public struct AdvanceBatch: Sendable {
    /// The number of rows.
    public var count: Int
    /// `[count][stateCount]`; replaced by the states after the step.
    public var states: [Float]
    /// `[count]`: whose row it is, as ``Panel/Series/id`` names it in training; a series born later is new to the model.
    public var series: [SeriesID]
    /// `[count]`: the slot that is stepped, in the series' own grid.
    public var slots: [Slot]
    /// `[count]`: the value of the slot; NaN when it has none.
    public var values: [Float]
    /// `[count][lags]` in the order of ``ForecastModel/lags``; NaN where there is no value.
    public var lagged: [Float]
    /// `[count]`: where in the calendar the slot begins.
    public var calendar: [CalendarTime]
    /// Whether ``forecasts`` is wanted; replay does without.
    public var wantsForecasts: Bool
    /// `[count][experts][horizon][quantiles]`, ascending within a lead, in the unit of the values. Written only if wanted.
    public var forecasts: [Float]
    /// `[count]`: the rows that could not be stepped, because the model lives in a process that gives no answer: their
    /// states are as before, and they have no forecast. False unless the model says otherwise.
    public var absent: [Bool]

    /// A batch of `count` rows with room for a model's states, lags and forecasts, all zero.
    ///
    /// - Parameter forecastCount: float32s in the forecast of one expert: `horizon × quantiles`.
    public init(count: Int, model: any ForecastModel, forecastCount: Int, wantsForecasts: Bool) {
        (states, series, slots, values, lagged, calendar, forecasts) = ([], [], [], [], [], [], [])
        absent = []
        (self.count, self.wantsForecasts) = (count, wantsForecasts)
        reset(count: count, model: model, forecastCount: forecastCount, wantsForecasts: wantsForecasts)
    }

    /// A batch of `count` rows without values, and without room for states, lags and forecasts.
    package init(count: Int, wantsForecasts: Bool) {
        (self.count, self.wantsForecasts) = (count, wantsForecasts)
        (states, lagged, forecasts) = ([], [], [])
        series = Array(repeating: SeriesID(0), count: count)
        slots = Array(repeating: 0, count: count)
        values = Array(repeating: .nan, count: count)
        calendar = Array(repeating: CalendarTime(localSeconds: 0, cadenceSeconds: 60), count: count)
        absent = Array(repeating: false, count: count)
    }

    /// Makes this another batch in the memory that is there. States and inputs are what they were: fill in every row.
    public mutating func reset(count: Int, model: any ForecastModel, forecastCount: Int, wantsForecasts: Bool) {
        (self.count, self.wantsForecasts) = (count, wantsForecasts)
        states.resize(count * model.stateCount, with: 0)
        series.resize(count, with: SeriesID(0))
        slots.resize(count, with: 0)
        values.resize(count, with: .nan)
        lagged.resize(count * model.lags.count, with: .nan)
        calendar.resize(count, with: CalendarTime(localSeconds: 0, cadenceSeconds: 1))
        // These begin anew: a model need not write them, and those of the batch before would be taken for its own.
        forecasts.resize(0, with: .nan)
        forecasts.resize(wantsForecasts ? count * model.experts.count * forecastCount : 0, with: .nan)
        absent.resize(0, with: false)
        absent.resize(count, with: false)
    }
}

extension Array {
    /// Takes what is too much from the end, or adds `value` there.
    fileprivate mutating func resize(_ count: Int, with value: Element) {
        guard self.count < count else { return removeLast(self.count - count) }
        append(contentsOf: repeatElement(value, count: count - self.count))
    }
}

/// The local time at which a slot begins, and how long a slot lasts.
public struct CalendarTime: Hashable, Sendable {
    /// Seconds since 1970-01-01 00:00 on the local clock of the configured time zone.
    public var localSeconds: Int64
    /// Seconds in one slot.
    public var cadenceSeconds: Float

    public init(localSeconds: Int64, cadenceSeconds: Float) {
        self.localSeconds = localSeconds
        self.cadenceSeconds = cadenceSeconds
    }

    /// How far the day is gone, 0 ..< 1.
    public var dayFraction: Float { Float(localSeconds.modulo(86_400)) / 86_400 }
    /// How far the week, from Monday 00:00, is gone, 0 ..< 1. (1970-01-01 was a Thursday.)
    public var weekFraction: Float { Float((localSeconds.modulo(604_800) + 259_200).modulo(604_800)) / 604_800 }
}

extension Int64 {
    /// The remainder in `0 ..< divisor`.
    fileprivate func modulo(_ divisor: Int64) -> Int64 {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}

public import TimeSeries

/// One step of `count` series under one model: states are updated, inputs read and forecasts written.
///
/// All arrays are row-major.
public struct AdvanceBatch: Sendable {
    /// The number of rows.
    public var count: Int
    /// `[count][stateCount]`; replaced by the states after the step.
    public var states: [Float]
    /// `[count]`: the series of each row, with the IDs of ``Panel/Series/id`` in training; a series created after
    /// training is new to the model.
    public var series: [SeriesID]
    /// `[count]`: the slot of this step, in the series' own grid.
    public var slots: [Slot]
    /// `[count]`: the value of the slot; NaN when it has none.
    public var values: [Float]
    /// `[count][lags]` in the order of ``ForecastModel/lags``; NaN where there is no value.
    public var lagged: [Float]
    /// `[count]`: the local time at which the slot begins.
    public var calendar: [CalendarTime]
    /// Whether ``forecasts`` should be written; replay does not need them.
    public var wantsForecasts: Bool
    /// `[count][experts][horizon][quantiles]`, ascending within a lead, in the unit of the values. Written only if
    /// ``wantsForecasts``.
    public var forecasts: [Float]
    /// `[count]`: the rows that could not be stepped because the plugin process did not answer; their states are
    /// unchanged, and they have no forecast. False unless the model sets it.
    public var absent: [Bool]

    /// A batch of `count` rows sized for a model's states, lags and forecasts, before the inputs are filled in.
    ///
    /// - Parameter forecastCount: the number of float32 values in one expert's forecast: `horizon × quantiles`.
    public init(count: Int, model: any ForecastModel, forecastCount: Int, wantsForecasts: Bool) {
        (states, series, slots, values, lagged, calendar, forecasts) = ([], [], [], [], [], [], [])
        absent = []
        (self.count, self.wantsForecasts) = (count, wantsForecasts)
        reset(count: count, model: model, forecastCount: forecastCount, wantsForecasts: wantsForecasts)
    }

    /// A batch of `count` rows without values and without storage for states, lags and forecasts.
    package init(count: Int, wantsForecasts: Bool) {
        (self.count, self.wantsForecasts) = (count, wantsForecasts)
        (states, lagged, forecasts) = ([], [], [])
        series = Array(repeating: SeriesID(0), count: count)
        slots = Array(repeating: 0, count: count)
        values = Array(repeating: .nan, count: count)
        calendar = Array(repeating: CalendarTime(localSeconds: 0, cadenceSeconds: 60), count: count)
        absent = Array(repeating: false, count: count)
    }

    /// Turns this into another batch, reusing its memory.
    ///
    /// States and inputs keep their old contents: fill in every row.
    public mutating func reset(count: Int, model: any ForecastModel, forecastCount: Int, wantsForecasts: Bool) {
        (self.count, self.wantsForecasts) = (count, wantsForecasts)
        states.resize(count * model.stateCount, with: 0)
        series.resize(count, with: SeriesID(0))
        slots.resize(count, with: 0)
        values.resize(count, with: .nan)
        lagged.resize(count * model.lags.count, with: .nan)
        calendar.resize(count, with: CalendarTime(localSeconds: 0, cadenceSeconds: 1))
        // These are reset: a model need not write them, and values from the previous batch would be mistaken for its
        // output.
        forecasts.resize(0, with: .nan)
        forecasts.resize(wantsForecasts ? count * model.experts.count * forecastCount : 0, with: .nan)
        absent.resize(0, with: false)
        absent.resize(count, with: false)
    }
}

extension Array {
    /// Removes elements from the end, or appends copies of `value`.
    fileprivate mutating func resize(_ count: Int, with value: Element) {
        guard self.count < count else { return removeLast(self.count - count) }
        append(contentsOf: repeatElement(value, count: count - self.count))
    }
}

/// The local time at which a slot begins, and the length of a slot.
public struct CalendarTime: Hashable, Sendable {
    /// Seconds since 1970-01-01 00:00 on the local clock of the configured time zone.
    public var localSeconds: Int64
    /// Seconds in one slot.
    public var cadenceSeconds: Float

    public init(localSeconds: Int64, cadenceSeconds: Float) {
        self.localSeconds = localSeconds
        self.cadenceSeconds = cadenceSeconds
    }

    /// The elapsed fraction of the day, 0 ..< 1.
    public var dayFraction: Float { Float(localSeconds.modulo(86_400)) / 86_400 }
    /// The elapsed fraction of the week from Monday 00:00, 0 ..< 1. (1970-01-01 was a Thursday.)
    public var weekFraction: Float { Float((localSeconds.modulo(604_800) + 259_200).modulo(604_800)) / 604_800 }
}

extension Int64 {
    /// The remainder in `0 ..< divisor`.
    fileprivate func modulo(_ divisor: Int64) -> Int64 {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}

/// One step of `count` series under one model: states in and out, inputs in, forecasts out. All arrays are row-major.
public struct AdvanceBatch: Sendable {
    /// The number of rows.
    public var count: Int
    /// `[count][stateCount]`; replaced by the states after the step.
    public var states: [Float]
    /// `[count]`: the value of the slot; NaN when it has none.
    public var values: [Float]
    /// `[count][lags]` in the order of ``ForecastModel/lags``; NaN where there is no value.
    public var lagged: [Float]
    /// `[count]`: where in the calendar the slot begins.
    public var calendar: [CalendarTime]
    /// Whether ``forecasts`` is wanted; replay does without.
    public var wantsForecasts: Bool
    /// `[count][horizon][quantiles]`, ascending within a lead, in the unit of the values. Written only if wanted.
    public var forecasts: [Float]

    /// A batch of `count` rows with room for a model's states, lags and forecasts, all zero.
    public init(count: Int, model: any ForecastModel, forecastCount: Int, wantsForecasts: Bool) {
        self.count = count
        self.wantsForecasts = wantsForecasts
        states = [Float](repeating: 0, count: count * model.stateCount)
        values = [Float](repeating: .nan, count: count)
        lagged = [Float](repeating: .nan, count: count * model.lags.count)
        calendar = [CalendarTime](repeating: CalendarTime(localSeconds: 0, cadenceSeconds: 1), count: count)
        forecasts = [Float](repeating: .nan, count: wantsForecasts ? count * forecastCount : 0)
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

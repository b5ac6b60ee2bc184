import Forecasting
import HoltWintersForecaster
import LSTMForecaster
import LinearARForecaster
import Recurrent
import SeasonalNaiveForecaster

/// The forecasting methods that are linked in, and the kernels they compute with.
enum Methods {
    private static let single: [any ForecastingMethod] = [
        LSTMMethod(), LinearAR(), HoltWinters(), SeasonalNaive(),
    ]
    static let all: [any ForecastingMethod] = single + [MixMethod(of: single)]
    static let kernels = Kernels.best
}

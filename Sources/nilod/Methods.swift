import Forecasting
import HoltWintersForecaster
import LSTMForecaster
import LinearARForecaster
import Recurrent
import SeasonalNaiveForecaster

/// The forecasting methods that are linked in, and the kernels they compute with.
enum Methods {
    static let all: [any ForecastingMethod] = [LSTMMethod(), LinearAR(), HoltWinters(), SeasonalNaive()]
    static let kernels = Kernels.best
}

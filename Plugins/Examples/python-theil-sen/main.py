"""Theil-Sen: a line through the last values whose slope is the median of all slopes between them."""

import math
from statistics import NormalDist, median

from forecaster import BadParameter, Model, serve


class TheilSen(Model):
    """State, [2]: the running mean absolute error of one step, and the value expected next (NaN: none)."""

    state_count = 2
    initial_state = [0.0, math.nan]
    memory = 64

    def __init__(self, specification):
        parameters = dict(specification["parameters"])
        window = parameters.pop("window", 12)
        if parameters:
            raise BadParameter(next(iter(parameters)), "this plugin takes window alone")
        if not isinstance(window, int) or not 3 <= window <= 64:
            raise BadParameter("window", "expected a whole number from 3 to 64")
        self.lags = list(range(1, window))
        # Slots ago of every two values, and one over their distance.
        self.pairs = [(old, new, 1 / (old - new)) for old in range(window) for new in range(old)]
        spreads = [NormalDist().inv_cdf(level) for level in specification["quantiles"]]
        # The mean absolute deviation of a normal distribution is sqrt(2 / pi) of its standard deviation.
        self.leads = [(lead, [math.sqrt(lead * math.pi / 2) * spread for spread in spreads])
                      for lead in range(1, specification["horizon"] + 1)]
        self.summary = f"a Theil-Sen line through {window} slots"

    def advance(self, state, value, lagged, wants_forecast):
        """One row: the state after the step, and [horizon][quantiles] or nothing."""
        error, expected = state
        if value == value and expected == expected:  # neither is NaN
            error += (abs(value - expected) - error) / self.memory
        now, slope = self.line([value, *lagged])
        new = [error, now + slope]
        if not wants_forecast:
            return new, []
        if now != now:
            now = 0.0
        return new, [now + lead * slope + error * spread for lead, spreads in self.leads for spread in spreads]

    def line(self, values):
        """The line's value now, NaN without any, and its slope per slot; values[n] was n slots ago."""
        slopes = [(values[new] - values[old]) * weight for old, new, weight in self.pairs]
        slope = middle(slopes, otherwise=0.0)
        return middle([value + slope * ago for ago, value in enumerate(values)], otherwise=math.nan), slope


def middle(numbers, otherwise):
    """The median of those that are not NaN."""
    known = [number for number in numbers if number == number]
    return median(known) if known else otherwise


if __name__ == "__main__":
    serve("python-theil-sen", "2", lambda specification, weights: TheilSen(specification))

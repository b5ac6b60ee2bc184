"""Theil-Sen: a line through the last values whose slope is the median of all slopes between them."""

import math
from statistics import NormalDist, median

from forecaster import BadParameter, Model, serve


class TheilSen(Model):
    """State, [1]: the running mean absolute error of one step."""

    state_count = 1
    initial_state = [0.0]
    memory = 64

    def __init__(self, specification):
        parameters = dict(specification["parameters"])
        window = parameters.pop("window", 12)
        if parameters:
            raise BadParameter(next(iter(parameters)), "this plugin takes window alone")
        if not isinstance(window, int) or not 3 <= window <= 64:
            raise BadParameter("window", "expected a whole number from 3 to 64")
        self.lags = list(range(1, window))
        self.horizon = specification["horizon"]
        self.spreads = [NormalDist().inv_cdf(level) for level in specification["quantiles"]]
        self.summary = f"a Theil-Sen line through {window} slots"

    def advance(self, state, value, lagged, wants_forecast):
        """One row: the state after the step, and [horizon][quantiles] or nothing."""
        error = state[0]
        before = line(enumerate(lagged, 1))
        if before and not math.isnan(value):
            error += (abs(value - before[0]) - error) / self.memory
        if not wants_forecast:
            return [error], []
        now = line([(0, value), *enumerate(lagged, 1)]) or (0.0, 0.0)
        forecast = []
        for lead in range(1, self.horizon + 1):
            middle, width = now[0] + lead * now[1], 1.2533 * error * math.sqrt(lead)
            forecast += [middle + width * spread for spread in self.spreads]
        return [error], forecast


def line(points):
    """The line's value now and its slope per slot, through points (slots ago, value); None without any."""
    known = [(-ago, value) for ago, value in points if not math.isnan(value)]
    if not known:
        return None
    slopes = [(b - y) / (a - x) for i, (x, y) in enumerate(known) for a, b in known[:i]]
    slope = median(slopes) if slopes else 0.0
    return median(y - slope * x for x, y in known), slope


if __name__ == "__main__":
    serve("python-theil-sen", "1", lambda specification, weights: TheilSen(specification))

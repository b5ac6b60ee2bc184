"""The last value, in Python: what a call costs when the method itself costs nothing."""

import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../Plugins/Examples/python-theil-sen"))

from forecaster import Model, serve


class LastValue(Model):
    state_count = 3
    initial_state = [0.0] * 3
    summary = "the last value"

    def __init__(self, specification):
        self.width = specification["horizon"] * len(specification["quantiles"])

    def advance(self, state, value, lagged, wants_forecast):
        if not math.isnan(value):
            state[0] = value
        return state, [state[0]] * self.width if wants_forecast else []


serve("python-last-value", "1", lambda specification, weights: LastValue(specification))

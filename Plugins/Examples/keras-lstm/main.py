"""A stateful LSTM of Keras: h and c come from the daemon before each step, and go back to it."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import jax
import keras
import numpy as np
from forecaster import BadParameter, Model, serve

BLOCK = 256  # rows of every call of the network
WINDOW = 32  # slots of a training sequence
MEMORY = 64  # slots that the scale looks back on
FEATURES = 2  # the scaled value, and whether it is missing


def parameters_of(specification):
    found = dict(specification["parameters"])
    units, epochs = found.pop("units", 8), found.pop("epochs", 3)
    if found:
        raise BadParameter(next(iter(found)), "this plugin takes units and epochs")
    for name, value, most in [("units", units, 256), ("epochs", epochs, 1000)]:
        if not isinstance(value, int) or not 1 <= value <= most:
            raise BadParameter(name, f"expected a whole number from 1 to {most}")
    return units, epochs


def network(units, outputs, stateful):
    """[batch, slots, FEATURES] to [batch, slots, outputs]; the same weights in both forms."""
    shape = {"batch_shape": (BLOCK, 1, FEATURES)} if stateful else {"shape": (None, FEATURES)}
    lstm = keras.layers.LSTM(units, return_sequences=True, stateful=stateful)
    return keras.Sequential([keras.Input(**shape), lstm, keras.layers.Dense(outputs)])


def scaled(scale, values):
    """One slot of many series: the new scale [rows, 3] (mean, deviation, last), and the features [rows, FEATURES]."""
    mean, deviation, last = scale.T.copy()
    known, fresh = ~np.isnan(values), np.isnan(last)
    mean = np.where(known & fresh, values, mean)
    change = np.where(known, values - mean, 0)
    mean = mean + change / MEMORY
    deviation = np.where(known, deviation + (np.abs(change) - deviation) / MEMORY, deviation)
    last = np.where(known, values, last)
    z = np.where(known, (values - mean) / (deviation + 1e-6), 0)
    return np.stack([mean, deviation, last], axis=1), np.stack([np.clip(z, -8, 8), ~known], axis=1)


class KerasLSTM(Model):
    """State, [2 units + 3]: h, c, and the scale: running mean, running mean deviation, last value."""

    def __init__(self, specification, weights):
        self.units, _ = parameters_of(specification)
        self.horizon, self.width = specification["horizon"], len(specification["quantiles"])
        self.network = network(self.units, self.horizon * self.width, stateful=True)
        with np.load(weights) as file:
            self.network.set_weights([file[name] for name in file.files])
        self.run = jax.jit(self.call)
        self.state_count = 2 * self.units + 3
        self.initial_state = [0.0] * (2 * self.units) + [0.0, 1.0, float("nan")]
        self.summary = f"Keras {keras.__version__}: LSTM({self.units}), Dense({self.horizon * self.width})"

    def advance_all(self, states, values, lagged, wants_forecasts):
        rows = len(values)
        states = np.array(states, np.float32).reshape(rows, self.state_count)
        scale, features = scaled(states[:, 2 * self.units:], np.array(values, np.float32))
        new, outputs = np.empty_like(states), []
        for start in range(0, rows, BLOCK):
            block = slice(start, min(start + BLOCK, rows))
            new[block, :-3], output = self.step(states[block, :-3], features[block])
            outputs.append(output)
        new[:, -3:] = scale
        if not wants_forecasts:
            return new.ravel(), []
        fan = np.sort(np.concatenate(outputs).reshape(rows, self.horizon, self.width), axis=2)
        last = np.nan_to_num(scale[:, 2])[:, None, None]
        return new.ravel(), (last + fan * scale[:, 1][:, None, None]).astype(np.float32).ravel()

    def step(self, states, features):
        """At most BLOCK rows: the states after the step, and the outputs."""
        rows = len(states)
        padded = np.zeros((BLOCK, 2 * self.units), np.float32)
        padded[:rows] = states
        inputs = np.zeros((BLOCK, 1, FEATURES), np.float32)
        inputs[:rows, 0] = features
        h, c, outputs = self.run(padded[:, :self.units], padded[:, self.units:], inputs)
        return np.concatenate([h, c], axis=1)[:rows], np.asarray(outputs)[:rows, 0]

    def call(self, h, c, inputs):
        """Keras keeps h and c in variables of the layer: they are set before the call and read after it."""
        variables = self.network.layers[0].states
        with keras.StatelessScope(state_mapping=list(zip(variables, (h, c)))) as scope:
            outputs = self.network(inputs)
        return *(scope.get_current_value(variable) for variable in variables), outputs


def sequences(panel, horizon):
    """Features [n, WINDOW, FEATURES], and for every slot and lead the change in units of the deviation, NaN if unknown."""
    values = np.load(panel).astype(np.float32)
    rows, slots = values.shape
    scale = np.tile(np.array([0, 1, np.nan], np.float32), (rows, 1))
    features, targets = np.zeros((rows, slots, FEATURES), np.float32), np.full((rows, slots, horizon), np.nan)
    for slot in range(slots):
        scale, features[:, slot] = scaled(scale, values[:, slot])
        ahead = values[:, slot + 1:slot + 1 + horizon]
        targets[:, slot, :ahead.shape[1]] = (ahead - scale[:, 2:]) / (scale[:, 1:2] + 1e-6)
    starts = range(0, slots - WINDOW + 1, WINDOW // 2)
    x = np.concatenate([features[:, start:start + WINDOW] for start in starts])
    return x, np.concatenate([targets[:, start:start + WINDOW] for start in starts]).astype(np.float32)


def train(panel, index, specification, start, weights):
    units, epochs = parameters_of(specification)
    horizon, levels = specification["horizon"], np.array(specification["quantiles"], np.float32)
    keras.utils.set_random_seed(1)

    def pinball(truth, output):
        known = keras.ops.logical_not(keras.ops.isnan(truth))[..., None]
        output = keras.ops.reshape(output, (-1, WINDOW, horizon, len(levels)))
        difference = keras.ops.nan_to_num(truth)[..., None] - output
        loss = keras.ops.maximum(levels * difference, (levels - 1) * difference)
        return keras.ops.mean(keras.ops.where(known, loss, 0))

    model = network(units, horizon * len(levels), stateful=False)
    if start:
        with np.load(start) as file:
            model.set_weights([file[name] for name in file.files])
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=pinball)
    x, y = sequences(panel, horizon)
    for epoch in range(epochs):
        loss = float(model.fit(x, y, batch_size=32, epochs=1, verbose=0).history["loss"][0])
        yield epoch + 1, epochs, loss, None
    with open(weights, "wb") as file:
        np.savez(file, *model.get_weights())
    yield epochs, epochs, loss, {"training_loss": loss}


if __name__ == "__main__":
    serve("keras-lstm", "1", KerasLSTM, train)

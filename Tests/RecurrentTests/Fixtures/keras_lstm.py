#!/usr/bin/env python3
"""Writes keras_lstm.json: answers of the real Keras that the tests and `nilod selftest` compare with.

    python3 -m venv venv && venv/bin/pip install -r requirements.txt && venv/bin/python keras_lstm.py

`--many N --out FILE` writes N random cases of every kind to FILE, for `nilod selftest --cases FILE`.
"""
import argparse, json, os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
from keras import constraints, layers, optimizers, regularizers

ACTIVATIONS = ["tanh", "sigmoid", "hard_sigmoid", "hard_sigmoid_keras2", "linear", "relu", "relu6", "leaky_relu", "elu",
               "selu", "softplus", "softsign", "exponential", "gelu", "silu", "mish", "log_sigmoid", "hard_silu",
               "hard_tanh", "tanh_shrink", "hard_shrink", "soft_shrink", "squareplus", "celu"]
GATES = ["sigmoid", "hard_sigmoid", "hard_sigmoid_keras2"]


def activation(name):
    if name == "hard_sigmoid_keras2":
        return lambda x: keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)
    if name == "gelu":
        return lambda x: keras.activations.gelu(x, approximate=False)
    return name


def regularizer(spec):
    if spec is None:
        return None
    name, *numbers = spec
    if name == "l1_l2":
        return regularizers.L1L2(numbers[0], numbers[-1])
    return {"l1": regularizers.L1, "l2": regularizers.L2, "orthogonal": regularizers.OrthogonalRegularizer}[name](*numbers)


def constraint(spec):
    if spec is None:
        return None
    name, *numbers = spec
    return {"max_norm": constraints.MaxNorm, "non_neg": constraints.NonNeg, "unit_norm": constraints.UnitNorm,
            "min_max_norm": constraints.MinMaxNorm}[name](*numbers)


def layer(config, **more):
    c = dict(config)
    both = c.pop("regularizer", None)
    for name in ("kernel", "recurrent", "bias"):
        c[f"{name}_constraint"] = constraint(c.get(f"{name}_constraint"))
        c[f"{name}_regularizer"] = regularizer(c.get(f"{name}_regularizer") or (both if name != "bias" else None))
    c["activity_regularizer"] = regularizer(c.get("activity_regularizer"))
    c["activation"] = activation(c.get("activation", "tanh"))
    c["recurrent_activation"] = activation(c.get("recurrent_activation", "sigmoid"))
    return layers.LSTM(**c, **more)


class Maker:
    def __init__(self, seed):
        self.r = np.random.default_rng(seed)

    def array(self, *shape, scale=1.0):
        # Few digits, so that JSON and float32 agree on inputs without room.
        return np.round(self.r.normal(size=shape) * scale, 3).astype("float32")

    def weights(self, inputs, units, bias=True):
        w = [self.array(inputs, 4 * units, scale=0.5), self.array(units, 4 * units, scale=0.5 / units ** 0.5)]
        return w + ([self.array(4 * units, scale=0.3)] if bias else [])

    def pick(self, values):
        return values[self.r.integers(len(values))]

    def mask(self, batch, time, kind):
        m = np.ones((batch, time), bool)
        for b in range(batch):
            n = self.r.integers(0, time)
            if kind == "left":
                m[b, :n] = False
            elif kind == "right":
                m[b, time - n:] = False
            else:
                m[b] = self.r.random(time) < 0.6
        return m

    def forward(self, name, config, shape, state=False, mask=None):
        batch, time, inputs = shape
        config = dict(use_bias=True, return_sequences=True, return_state=True, go_backwards=False) | config
        x = self.array(*shape)
        w = self.weights(inputs, config["units"], config["use_bias"])
        s = [self.array(batch, config["units"], scale=0.4) for _ in range(2)] if state else None
        m = self.mask(batch, time, mask) if mask else None
        cell = layer(config)
        cell.build(x.shape)
        cell.set_weights(w)
        out = cell(x, initial_state=s, mask=m)
        y, h, c = (np.array(v) for v in out)
        if m is not None and s is not None and not config.get("zero_output_for_mask"):
            y = self.first_outputs(y, m, s[0], config)
        return dict(id=name, kind="forward", config=config, x=x, weights=w, initial_state=s, mask=m, y=y, h=h, c=c)

    @staticmethod
    def first_outputs(y, mask, h0, config):
        """Keras' backends differ at a masked first step; ours repeats the initial h."""
        if not config["return_sequences"]:
            return y
        m = mask[:, ::-1] if config["go_backwards"] else mask
        for b in range(len(y)):
            for t in range(y.shape[1]):
                if m[b, t]:
                    break
                y[b, t] = h0[b]
        return y

    def stateful(self, name, config, shape, calls=3):
        config = dict(use_bias=True, return_sequences=False, stateful=True, go_backwards=False) | config
        xs = [self.array(*shape) for _ in range(calls)]
        w = self.weights(shape[2], config["units"], config["use_bias"])
        cell = layer(config)
        cell.build(xs[0].shape)
        cell.set_weights(w)
        ys = [np.array(cell(x)) for x in xs]
        cell.reset_states()
        return dict(id=name, kind="stateful", config=config, xs=xs, weights=w, ys=ys, after_reset=np.array(cell(xs[-1])))

    def train(self, name, configs, shape, optimizer="sgd", rate=0.05, loss="mse", steps=4, outputs=1, **more):
        configs = [dict(return_sequences=i < len(configs) - 1) | c for i, c in enumerate(configs)]
        model = keras.Sequential([keras.Input(shape[1:])] + [layer(c) for c in configs] + [layers.Dense(outputs)])
        before, inputs = [], shape[2]
        for c in configs:
            before += self.weights(inputs, c["units"], c.get("use_bias", True))
            inputs = c["units"]
        before += [self.array(inputs, outputs, scale=0.5), self.array(outputs, scale=0.1)]
        model.set_weights(before)
        kind = {"sgd": optimizers.SGD, "adam": optimizers.Adam, "rmsprop": optimizers.RMSprop, "adamw": optimizers.AdamW}
        model.compile(kind[optimizer](rate, **more), loss)
        x, y = self.array(*shape), self.array(shape[0], outputs, scale=0.5)
        losses = [float(model.train_on_batch(x, y)) for _ in range(steps)]
        return dict(id=name, kind="train", optimizer=optimizer, learning_rate=rate, loss=loss, layers=configs, x=x, y=y,
                    weights_before=before, weights_after=model.get_weights(), losses=losses, **more)


def chosen(m):
    """The fixture: every argument, activation, optimizer and mask once, on small sizes."""
    for i, name in enumerate(ACTIVATIONS):
        gate = GATES[i % 3]
        yield m.forward(f"activation {name}", dict(units=3, activation=name, recurrent_activation=gate), (2, 3, 2))
    for i, name in enumerate(ACTIVATIONS[4:]):
        yield m.forward(f"gates {name}", dict(units=2, recurrent_activation=name), (1, 2, 2), state=True)
    for units in (1, 16, 17, 33):
        yield m.forward(f"{units} units", dict(units=units, return_sequences=False), (1, 2, 1))
    for kind in ("left", "right", "mixed"):
        for backwards in (False, True):
            yield m.forward(f"mask {kind} backwards {backwards}", dict(units=2, go_backwards=backwards), (3, 5, 2), True, kind)
    yield m.forward("zero output for mask", dict(units=2, zero_output_for_mask=True), (3, 5, 2), mask="left")
    yield m.forward("no bias", dict(units=3, use_bias=False, return_sequences=False), (2, 4, 2), state=True)
    yield m.forward("unrolled, implementation 2", dict(units=3, unroll=True, implementation=2), (2, 4, 2))
    yield m.stateful("stateful", dict(units=4), (2, 3, 2))
    yield m.stateful("stateful backwards", dict(units=3, go_backwards=True, return_sequences=True), (2, 3, 2))
    yield m.train("two layers", [dict(units=4), dict(units=3)], (3, 5, 2), "adam", 0.01)
    yield m.train("momentum", [dict(units=3)], (3, 4, 2), momentum=0.9)
    yield m.train("nesterov", [dict(units=3)], (3, 4, 2), momentum=0.9, nesterov=True)
    yield m.train("rmsprop", [dict(units=3)], (3, 4, 2), "rmsprop", 0.01)
    yield m.train("rmsprop with momentum", [dict(units=3)], (3, 4, 2), "rmsprop", 0.01, momentum=0.5)
    yield m.train("adamw", [dict(units=3)], (3, 4, 2), "adamw", 0.01, weight_decay=0.1)
    yield m.train("clipnorm", [dict(units=3)], (3, 4, 2), clipnorm=0.05)
    yield m.train("clipvalue", [dict(units=3)], (3, 4, 2), clipvalue=0.01)
    yield m.train("global_clipnorm", [dict(units=3)], (3, 4, 2), global_clipnorm=0.05)
    yield m.train("mae", [dict(units=3)], (3, 4, 2), loss="mae")
    yield m.train("huber", [dict(units=3)], (3, 4, 2), loss="huber", outputs=2)
    for spec in (["l1", 0.005], ["l2", 0.01], ["l1_l2", 0.002, 0.004], ["orthogonal", 0.01]):
        yield m.train(f"regularizer {spec[0]}", [dict(units=3, regularizer=spec)], (2, 3, 2))
    yield m.train("bias and activity regularizer",
                  [dict(units=3, bias_regularizer=["l2", 0.05], activity_regularizer=["l1_l2", 0.02, 0.03])], (3, 4, 2))
    for spec in (["max_norm", 0.9], ["non_neg"], ["unit_norm"], ["min_max_norm", 0.3, 0.8, 0.7]):
        yield m.train(f"constraint {spec[0]}", [dict(units=3, kernel_constraint=spec, recurrent_constraint=spec,
                                                     bias_constraint=spec)], (2, 3, 2))
    for name in ("relu", "elu", "softsign", "softplus", "selu", "gelu", "silu", "mish", "squareplus"):
        yield m.train(f"gradient of {name}", [dict(units=3, activation=name, recurrent_activation="hard_sigmoid")], (2, 3, 2))
    yield m.train("backwards, hard sigmoid", [dict(units=3, go_backwards=True, recurrent_activation="hard_sigmoid_keras2")],
                  (2, 4, 2))


def random_cases(m, count):
    for i in range(count):
        config = dict(units=int(m.pick([1, 2, 3, 5, 8, 15, 16, 17, 24, 32, 33, 48])), activation=m.pick(ACTIVATIONS),
                      recurrent_activation=m.pick(GATES + ["sigmoid"] * 3 + ["relu6", "softsign"]),
                      use_bias=bool(m.r.random() < 0.8), return_sequences=bool(m.r.random() < 0.5),
                      go_backwards=bool(m.r.random() < 0.4))
        shape = tuple(int(v) for v in (m.r.integers(1, 8), m.r.integers(1, 9), m.r.integers(1, 9)))
        yield m.forward(f"f{i}", config, shape, m.r.random() < 0.5, m.pick([None, "left", "right", "mixed"]))
        config = dict(config, activation=m.pick(["tanh", "tanh", "elu", "softsign", "relu"]))
        yield m.stateful(f"s{i}", config, shape)
        stack = []
        for _ in range(int(m.r.integers(1, 4))):
            stack.append(dict(
                units=int(m.r.integers(1, 20)), activation=m.pick(["tanh", "tanh", "tanh"] + ACTIVATIONS[:18]),
                recurrent_activation=m.pick(GATES), use_bias=bool(m.r.random() < 0.9),
                regularizer=m.pick([None, None, ["l1", 0.005], ["l2", 0.01], ["l1_l2", 0.003], ["orthogonal", 0.01]]),
                kernel_constraint=m.pick([None, None, ["max_norm", 0.9], ["non_neg"], ["unit_norm"],
                                          ["min_max_norm", 0.3, 0.8, 0.7]]),
                recurrent_constraint=m.pick([None, None, ["max_norm", 0.9], ["unit_norm"]]),
                bias_constraint=m.pick([None, None, None, ["max_norm", 0.5]]),
                activity_regularizer=m.pick([None, None, None, ["l2", 0.01]])))
        for c in stack:
            if c["units"] == 1 and c["regularizer"] and c["regularizer"][0] == "orthogonal":
                c["regularizer"] = None
        optimizer = m.pick(["sgd", "adam", "rmsprop", "adamw"])
        more = {"sgd": [{}, {"momentum": 0.9}, {"momentum": 0.5, "nesterov": True}, {"clipnorm": 0.1}], "adam": [{}, {"global_clipnorm": 0.2}],
                "rmsprop": [{}, {"momentum": 0.4}, {"clipvalue": 0.02}], "adamw": [{}, {"weight_decay": 0.05}]}[optimizer]
        if shape[2] < 2:
            for c in stack[:1]:
                if c["regularizer"] and c["regularizer"][0] == "orthogonal":
                    c["regularizer"] = None
        yield m.train(f"t{i}", stack, shape, optimizer, 0.05 if optimizer == "sgd" else 0.01,
                      m.pick(["mse", "mse", "mae", "huber"]), outputs=int(m.r.integers(1, 3)), **m.pick(more))


def plain(value):
    if isinstance(value, np.ndarray):
        return value.tolist() if value.dtype == bool else plain(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if v is not None}
    return value


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--many", type=int)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--out", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "keras_lstm.json"))
    a = arguments.parse_args()
    m = Maker(a.seed)
    cases = [plain(c) for c in (random_cases(m, a.many) if a.many else chosen(m))]
    # An unbounded activation may explode, and JSON has no NaN.
    cases = [c for c in cases if "NaN" not in json.dumps(c) and "Infinity" not in json.dumps(c)]
    # Beyond 8 the tolerance is less than twenty roundings, which gates without a limit amplify from step to step.
    cases = [c for c in cases if all(np.abs(c[k]).max(initial=0) <= 8 for k in ("y", "h", "c") if k in c)]
    with open(a.out, "w") as file:
        json.dump(dict(keras=keras.__version__, backend="tensorflow", atol=2e-5, cases=cases), file, separators=(",", ":"))
        file.write("\n")
    print(len(cases), "cases,", os.path.getsize(a.out), "bytes")

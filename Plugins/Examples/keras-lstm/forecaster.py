"""org.nilometer.Forecaster on PyPI's varlink: what every plugin in Python needs, and nothing of its method."""

import array
import base64
import os
import socket
import sys
import tempfile

import varlink

INTERFACE = "org.nilometer.Forecaster"
NAN = float("nan")


class BadParameter(varlink.VarlinkError):
    def __init__(self, parameter, text):
        super().__init__({"error": f"{INTERFACE}.BadParameter", "parameters": {"parameter": parameter, "text": text}})


class UnknownModel(varlink.VarlinkError):
    def __init__(self, model):
        super().__init__({"error": f"{INTERFACE}.UnknownModel", "parameters": {"model": model}})


class BadPayload(varlink.VarlinkError):
    def __init__(self, name, text):
        super().__init__({"error": f"{INTERFACE}.BadPayload", "parameters": {"name": name, "text": text}})


class Model:
    """One loaded model. `advance` must depend on its arguments alone."""

    state_count = 0
    initial_state = []
    lags = []
    experts = [{"name": "", "prior": 1.0}]
    horizon = 1
    summary = ""

    def advance(self, state, value, lagged, wants_forecast):
        raise NotImplementedError

    def advance_all(self, states, values, lagged, wants_forecasts):
        """All rows of a call; override it where many at once are faster."""
        new, forecasts = array.array("f"), array.array("f")
        state_count, lag_count = self.state_count, len(self.lags)
        for row, value in enumerate(values):
            state, forecast = self.advance(
                states[row * state_count:(row + 1) * state_count], value,
                lagged[row * lag_count:(row + 1) * lag_count], wants_forecasts)
            new.extend(state)
            forecasts.extend(forecast)
        return new, forecasts


def decode(name, text, count, kind="f"):
    values = array.array(kind)
    values.frombytes(base64.b64decode(text))
    if len(values) != count:
        raise BadPayload(name, f"expected {count} numbers, found {len(values)}")
    if sys.byteorder == "big":
        values.byteswap()
    return values


def encode(values):
    values = array.array("f", values)
    if sys.byteorder == "big":
        values.byteswap()
    return base64.b64encode(values.tobytes()).decode("ascii")


# The names and parameters of the interface; https://varlink.org/Interface-Definition.
DESCRIPTION = """
interface org.nilometer.Forecaster
type Specification (horizon: int, quantiles: []float, parameters: object)
type Expert (name: string, prior: float)
method Describe() -> (contract: int, name: string, version: string, capabilities: []string)
method Load(model: string, specification: Specification, weights: ?string) -> (
  stateCount: int, lags: []int, experts: []Expert, initialState: string, summary: string)
method Unload(model: string) -> ()
method Advance(model: string, count: int, states: string, series: string, values: string, lagged: string,
  localSeconds: string, cadence: string, wantsForecasts: bool) -> (states: string, forecasts: string)
method Train(panel: string, index: string, specification: Specification, from: ?string, weights: string) -> (
  done: int, total: int, loss: float, metrics: ?[string]float)
error BadParameter (parameter: string, text: string)
error BadWeights (text: string)
error UnknownModel (model: string)
error BadPayload (name: string, text: string)
error TrainingFailed (text: string)
"""


class Forecaster:
    def __init__(self, name, version, load, train):
        self.name, self.version, self.load, self.train = name, version, load, train
        self.models = {}

    def Describe(self):
        capabilities = ["train"] if self.train else []
        return {"contract": 1, "name": self.name, "version": self.version, "capabilities": capabilities}

    def Load(self, model, specification, weights=None):
        made = self.models[model] = self.load(specification, weights)
        return {"stateCount": made.state_count, "lags": made.lags, "experts": made.experts,
                "initialState": encode(made.initial_state), "summary": made.summary}

    def Unload(self, model):
        self.models.pop(model, None)
        return {}

    def Advance(self, model, count, states, series, values, lagged, localSeconds, cadence, wantsForecasts):
        if model not in self.models:
            raise UnknownModel(model)
        made = self.models[model]
        new, forecasts = made.advance_all(
            decode("states", states, count * made.state_count), decode("values", values, count),
            decode("lagged", lagged, count * len(made.lags)), wantsForecasts)
        return {"states": encode(new), "forecasts": encode(forecasts)}

    def Train(self, panel, index, specification, start, weights):
        if not self.train:
            raise varlink.VarlinkError(
                {"error": f"{INTERFACE}.TrainingFailed", "parameters": {"text": "it needs no training"}})
        for done, total, loss, metrics in self.train(panel, index, specification, start, weights):
            reply = {"_continues": metrics is None, "done": done, "total": total, "loss": loss}
            yield reply if metrics is None else {**reply, "metrics": metrics}


def serve(name, version, load, train=None):
    """Answers on descriptor 3 until the daemon hangs up.

    load(specification, path of the weights or None) returns a Model; train(panel, index, specification, path of the
    weights to go on from or None, path of the weights to write) yields (done, total, loss, None), at the end
    (done, total, loss, metrics).
    """
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, f"{INTERFACE}.varlink"), "w", encoding="utf-8") as file:
            file.write(DESCRIPTION)
        service = varlink.Service(vendor="Nilometer", product=name, version=version, interface_dir=folder)
        service.interface(INTERFACE)(lambda: Forecaster(name, version, load, train))
    # The stock handler reads byte by byte; whole messages go to Service.handle just as well.
    connection = socket.socket(fileno=3)
    pending = bytearray()
    while True:
        end = pending.find(0)
        if end >= 0:
            message = bytes(pending[:end])
            del pending[:end + 1]
            for reply in service.handle(message):
                connection.sendall(reply + b"\0")
            continue
        received = connection.recv(1 << 20)
        if not received:
            return
        pending += received

"""A trained model, taken apart: its layers as hls4ml will build them, and what they hold and give on rows of data."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from dse.design import Hardware
from dse.errors import DseError, StageFailed
from dse.network import Layer, Network
from dse.nn import extract, saved
from dse.nn.convert import BACKEND

#: Kinds of layers whose results have a type of their own; the others pass on what they get.
COMPUTING = ("dense", "conv1d", "conv2d", "depthwise_conv1d", "depthwise_conv2d", "batchnorm", "relu", "activation", "merge")
#: Kinds that the layer before leaves its result to.
ABSORBING = ("relu", "activation", "batchnorm", "quantize")
#: Rows that are looked at.
SAMPLE_ROWS = 2048


@dataclass(frozen=True)
class Anatomy:
    """A loaded model without its last softmax, and its network with float weights as hls4ml's optimisers leave it.

    `dropped` names the activation that was taken from its end ("" where none was); `typed` says that the model has types of its
    own (QKeras). `results` maps the names of Keras layers to the layers of the network that give their outputs.
    """

    file: saved.Saved
    model: Any
    network: Network
    dropped: str
    typed: bool
    results: Mapping[str, str]

    @property
    def probes(self) -> dict[str, str]:
        """For each layer of the network the last Keras layer whose output it gives."""
        return {layer: name for name, layer in self.results.items()}

    @property
    def computing(self) -> dict[str, Layer]:
        """The layers with a result type of their own, by the names under which their knobs go.

        A layer's activation goes under the layer's name; a layer that only an activation follows has no type of its own.
        """
        followers = {name: [x for x in self.network.layers if name in x.inputs] for name in self.probes}
        found = {}
        for layer in self.network.layers:
            absorbed = any(x.kind in ABSORBING for x in followers.get(layer.name, []))
            if layer.kind in COMPUTING and not absorbed:
                found[self._owner(layer.name)] = layer
        return found

    def _owner(self, name: str) -> str:
        """`fc1_relu`, which hls4ml makes of `fc1`, goes under `fc1`."""
        base = name.rpartition("_")[0]
        keras = {layer.name for layer in self.model.layers}
        return base if name not in keras and base in keras else name

    def outputs(self, x: np.ndarray, layers: tuple[str, ...] = ()) -> list[np.ndarray]:
        """Float outputs of these layers of the network, or of the whole model, for rows `x`; in batches of 1024."""
        probes = self.probes
        wanted = [_tensor(self.model.get_layer(probes[name]), "output") for name in layers] or self.model.outputs
        probe = self.file.keras.Model(self.model.inputs[0], wanted)
        batches = [_several(probe(x[i : i + 1024], training=False)) for i in range(0, len(x), 1024)]
        return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


def _tensor(layer: Any, which: str) -> Any:
    """A layer's symbolic input or output; of a layer that tfmot has put into another model, those there."""
    at = getattr(layer, f"get_{which}_at", None)  # Keras 2
    return getattr(layer, which) if at is None else at(-1)


def _several(outputs: Any) -> list[np.ndarray]:
    return [np.asarray(o, dtype=np.float64) for o in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]


@lru_cache(maxsize=2)
def anatomy(path: Path, digest: str, *, classifies: bool) -> Anatomy:
    """The model of a file with this digest; UsageError where it cannot be read, StageFailed("unsupported") by hls4ml.

    Of a model that `classifies` the softmax or sigmoid at its end is dropped: the outputs' order and sign stay.
    """
    file = saved.look(path)
    if file.digest != digest:
        raise DseError(f"{path} has changed while it was being used.")
    with listening(file) as told:
        model = file.load()
        dropped = _bare(model, file.keras.activations.linear) if classifies else ""
        typed = any(type(layer).__module__.startswith("qkeras") for layer in model.layers)
        with refusing(told):
            network = extract.extract(graph(model, typed=typed, config={}, hardware=Hardware(), settings={}))
    return Anatomy(file, model, network, dropped, typed, _results(model, network))


@contextlib.contextmanager
def listening(file: saved.Saved) -> Iterator[io.StringIO]:
    """Let hls4ml see the file's Keras, and keep what it prints."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(io.StringIO()), file.front():
        yield told


@contextlib.contextmanager
def refusing(told: io.StringIO) -> Iterator[None]:
    """Whatever hls4ml raises is StageFailed("unsupported"), with what it supports where it is a layer."""
    try:
        yield
    except StageFailed:
        raise
    except Exception as error:  # hls4ml raises bare Exceptions
        message = f"hls4ml: {type(error).__name__}: {error}"
        if "nsupported layer" in str(error) or "No handler" in str(error):
            import hls4ml

            message += f" It supports {', '.join(sorted(hls4ml.converters.get_supported_keras_layers()))}."
        raise StageFailed("unsupported", message, told.getvalue()) from error


def _bare(model: Any, linear: Any) -> str:
    """Take a softmax or sigmoid from the model's end, and tell which; sigmoid(x) is above 1/2 where x is above 0."""
    last = model.layers[-1]
    name = str(getattr(getattr(last, "activation", None), "__name__", type(last).__name__.lower()))
    if name not in ("softmax", "sigmoid"):
        return ""
    if not hasattr(last, "activation"):
        advice = f"end the model in Activation({name!r}), or in a Dense layer with it"
        raise StageFailed("unsupported", f"layer {last.name} is a {type(last).__name__}: {advice}.")
    last.activation = linear
    return name


def graph(model: Any, *, typed: bool, config: Mapping[str, Any], hardware: Hardware, settings: Mapping[str, Any]) -> Any:
    """hls4ml's graph after its optimisers; `config` is merged into the configuration per layer, nothing is written."""
    import hls4ml

    found = hls4ml.utils.config_from_keras_model(model, granularity="name", backend=BACKEND)
    found["Model"] |= config.get("Model", {})
    for name, row in config.get("LayerName", {}).items():
        mine = found["LayerName"].setdefault(name, {})
        mine |= {**row, "Precision": {**mine.get("Precision", {}), **row.get("Precision", {})}}
        linear = found["LayerName"].get(f"{name}_linear")  # with another type it would stay, and cast once more
        if linear is not None:
            linear["Precision"] = {"result": mine["Precision"]["result"]}
    return hls4ml.converters.convert_from_keras_model(
        model, hls_config=found, backend=BACKEND, io_type=hardware.io_type, bit_exact=typed, **settings
    )


def _results(model: Any, network: Network) -> dict[str, str]:
    """Which layer of the network gives each Keras layer's output; layers that hls4ml has merged give it by the one before."""
    names = {layer.name for layer in network.layers}
    found: dict[str, str] = {}
    for layer in model.layers:
        activation = getattr(getattr(layer, "activation", None), "__name__", "")
        mine = next((name for name in (f"{layer.name}_{activation}", layer.name) if name in names), None)
        if mine is None:
            mine = next((found[name] for name in _before(layer) if name in found), None)
        if mine is not None:
            found[str(layer.name)] = mine
    return found


def _before(layer: Any) -> Iterator[str]:
    """Names of the layers whose outputs a layer takes."""
    found = _tensor(layer, "input")
    for tensor in found if isinstance(found, (list, tuple)) else [found]:
        history = tensor._keras_history  # noqa: SLF001 - the same in Keras 2 and 3
        before = history.operation if hasattr(history, "operation") else history.layer
        yield str(before.name)

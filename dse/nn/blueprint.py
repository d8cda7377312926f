"""A quantised model as hls4ml reads it, without building it in Keras: the same description in a thousandth of a second.

Building a QKeras model costs a quarter of a second per design, and hls4ml only ever asks it for its JSON description and
its layers' weights. So one QKeras model is built per architecture; every other design of it is that model's description
with other widths written into it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from dse.design import Scalar
from dse.fixed import Quantizer
from dse.nn import graph, train
from dse.workload import Workload

#: Widths that no design has: each marks the place of one quantiser in the description.
FIRST_MARK = 1000


@dataclass(frozen=True)
class Weight:
    """One array of a layer under its Keras name."""

    name: str
    array: np.ndarray

    def numpy(self) -> np.ndarray:
        """The array, as a Keras variable gives it."""
        return self.array


@dataclass(frozen=True)
class Described:
    """A layer with the weights that it has in this design."""

    name: str
    weights: tuple[Weight, ...]

    def get_weights(self) -> list[np.ndarray]:
        """The arrays, in Keras' order."""
        return [weight.array for weight in self.weights]


@dataclass(frozen=True)
class Blueprint:
    """What hls4ml asks of a Keras model: `to_json`, `layers` and `get_layer`."""

    description: Mapping[str, Any]
    layers: tuple[Described, ...]

    def to_json(self) -> str:
        """The model's description, as Keras gives it."""
        return json.dumps(self.description)

    def get_layer(self, name: str) -> Described:
        """The layer of this name; KeyError otherwise."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)


def blueprint(
    workload: Workload,
    architecture: tuple[tuple[str, Scalar], ...],
    quantizers: graph.Quantizers,
    weights: Mapping[str, list[np.ndarray]],
) -> Blueprint:
    """The quantised model of an architecture with these quantisers and weights (by layer, in Keras' order)."""
    drawn = _drawn(workload, architecture, json.dumps(_marked(quantizers).as_json()))
    description = copy.deepcopy(drawn.description)
    asked = dict(enumerate(_each(quantizers), FIRST_MARK))
    for place in _places(description):
        quantizer = asked[place["config"]["bits"]]
        if quantizer.ternary:
            place |= {"class_name": "ternary", "registered_name": "ternary", "config": graph.qkeras_of(quantizer).get_config()}
        else:
            place["config"] |= {"bits": quantizer.bits, "integer": quantizer.integer}
    layers = [
        Described(layer.name, tuple(replace(w, array=a) for w, a in zip(layer.weights, weights[layer.name], strict=True)))
        if layer.name in weights
        else layer
        for layer in drawn.layers
    ]
    return Blueprint(description, tuple(layers))


def _each(quantizers: graph.Quantizers) -> Iterator[Quantizer]:
    for group in (quantizers.weights, quantizers.biases, quantizers.activations):
        yield from group.values()


def _marked(quantizers: graph.Quantizers) -> graph.Quantizers:
    """Quantisers of the same signs with a width of its own for each."""
    marks = iter(range(FIRST_MARK, FIRST_MARK + 10**6))
    groups = (quantizers.weights, quantizers.biases, quantizers.activations)
    return graph.Quantizers(*({n: Quantizer(next(marks), 0, q.signed) for n, q in group.items()} for group in groups))


def _places(description: Any) -> Iterator[dict[str, Any]]:
    """All quantisers in a description, wherever Keras has put them."""
    if isinstance(description, dict):
        config = description.get("config")
        bits = config.get("bits") if isinstance(config, dict) else None
        if isinstance(bits, int) and bits >= FIRST_MARK:
            yield description
        for value in description.values():
            yield from _places(value)
    elif isinstance(description, list):
        for value in description:
            yield from _places(value)


@lru_cache(maxsize=16)
def _drawn(workload: Workload, architecture: tuple[tuple[str, Scalar], ...], marked: str) -> Blueprint:
    """The model of marked quantisers, built once, with the weights that it starts with."""
    quantizers = graph.Quantizers.from_json(json.loads(marked))
    with np.errstate(over="ignore"):  # nothing is computed with such widths
        model = graph.quantised(graph.nodes(train.build(workload, architecture)), quantizers)
    layers = [Described(x.name, tuple(Weight(w.name, w.numpy()) for w in x.weights)) for x in model.layers]
    return Blueprint(json.loads(model.to_json()), tuple(layers))

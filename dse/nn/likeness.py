"""Whether what hls4ml reads of a trained model computes what the model computes, before anything is quantised."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dse.errors import StageFailed
from dse.network import FixedType, Layer, Network
from dse.nn import layers, reference
from dse.nn.anatomy import Anatomy

#: Wide enough that its steps (2**-28) are less than the noise of float32, and exact in float64.
WIDE = FixedType(52, 24)
#: Of a layer's largest value: float32 sums are off by less than a thousandth of this.
TOLERANCE = 1e-3


def check(model: Anatomy, rows: np.ndarray) -> None:
    """StageFailed("unsupported") with the first layer that hls4ml would build as something else than the model has.

    hls4ml drops options that it does not know without a word. `rows` (n, ...) go through the model and through a float64
    evaluation of what hls4ml has read. A model that has types of its own (QKeras) computes with these, and is not compared.
    """
    for layer in model.model.layers:
        layers.check_dropped(layer)
    reference.check(model.network)
    if model.typed:
        return
    names = tuple(name for name in model.probes if name in {layer.name for layer in model.network.layers})
    truths = dict(zip(names, model.outputs(rows, names), strict=True))
    for name, _, found in reference.trace(_widened(model.network), np.asarray(rows, dtype=np.float64)):
        if name in truths:
            _compare(name, truths[name].reshape(len(rows), -1), found.reshape(len(rows), -1))


def _compare(name: str, truth: np.ndarray, found: np.ndarray) -> None:
    largest, furthest = np.abs(truth).max(), np.abs(truth - found).max()
    if not furthest <= TOLERANCE * largest + 1e-6:
        raise StageFailed(
            "unsupported",
            f"layer {name}: what hls4ml builds of it differs by up to {furthest:.3g} from what the trained model gives "
            f"(values up to {largest:.3g}), before anything is quantised. It drops options that it does not know.",
        )


def _widened(network: Network) -> Network:
    """The same layers and weights with types that cut nothing off."""
    return replace(network, layers=tuple(_wide(layer) for layer in network.layers))


def _wide(layer: Layer) -> Layer:
    accumulator = None if layer.accumulator_type is None else WIDE
    return replace(layer, result_type=WIDE, accumulator_type=accumulator)

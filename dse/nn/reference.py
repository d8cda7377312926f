"""A float64 evaluation of a `Network`: the oracle that compiled emulations are held against.

Product sums are exact in float64 while accumulators have at most 53 bits; casts follow AMD UG1399 (see `dse.fixed`).
"""

from __future__ import annotations

import numpy as np

from dse.errors import StageFailed
from dse.fixed import quantise
from dse.network import Layer, Network

#: Accumulators above this width could lose bits in float64.
EXACT_BITS = 53


def reference(network: Network, x: np.ndarray) -> np.ndarray:
    """Outputs (n, ...) of the network for rows `x` (n, ...), computed in float64.

    StageFailed("unsupported") for a kind of layer that has no reference, or accumulators wider than 53 bits.
    """
    values: dict[str, np.ndarray] = {}
    for layer in network.layers:
        accumulator = layer.accumulator_type
        if accumulator is not None and accumulator.width > EXACT_BITS:
            raise StageFailed("unsupported", f"layer {layer.name}: an accumulator of {accumulator.width} bits exceeds float64.")
        before = [values[name] for name in layer.inputs] or [
            np.asarray(x, dtype=np.float64).reshape(len(x), *layer.input_shape)
        ]
        values[layer.name] = quantise(_evaluate(network, layer, before), layer.result_type)
    return values[network.outputs[0]]


def _evaluate(network: Network, layer: Layer, before: list[np.ndarray]) -> np.ndarray:
    match layer.kind:
        case "input" | "quantize":
            return before[0]
        case "relu":
            return np.asarray(np.maximum(before[0], 0.0))
        case "reshape":
            return before[0].reshape(len(before[0]), *layer.output_shape)
        case "dense":
            return _accumulated(network, layer, before[0].reshape(len(before[0]), -1))
        case "conv2d":
            return _accumulated(network, layer, _patches(layer, before[0]))
        case "batchnorm":
            scale, bias = (network.weights[f"{layer.name}/{part}"] for part in ("weight", "bias"))
            return np.asarray(before[0] * scale + bias)
    raise StageFailed("unsupported", f"layer {layer.name}: the float64 reference knows no {layer.kind}.")


def _accumulated(network: Network, layer: Layer, rows: np.ndarray) -> np.ndarray:
    """Product sums plus bias, cast to the accumulator's type: the last axis of `rows` meets the weights."""
    weights = network.weights[f"{layer.name}/weight"]
    sums = rows @ weights.reshape(rows.shape[-1], -1)
    bias = network.weights.get(f"{layer.name}/bias")
    total = sums if bias is None else sums + bias
    shaped = total.reshape(len(rows), *layer.output_shape)
    return shaped if layer.accumulator_type is None else quantise(shaped, layer.accumulator_type)


def _patches(layer: Layer, image: np.ndarray) -> np.ndarray:
    """Patches (n, out_height, out_width, kernel_h * kernel_w * n_chan) of images (n, height, width, n_chan)."""
    a = layer.attributes
    padding = ((0, 0), (a["pad_top"], a["pad_bottom"]), (a["pad_left"], a["pad_right"]), (0, 0))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, padding), (a["filt_height"], a["filt_width"]), axis=(1, 2))
    windows = windows[:, :: a["stride_height"], :: a["stride_width"]]
    found: np.ndarray = np.moveaxis(windows, 3, -1)
    return found.reshape(*found.shape[:3], -1)

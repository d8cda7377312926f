"""A float64 evaluation of a `Network`: the oracle that compiled emulations are held against.

Product sums are exact in float64 while accumulators have at most 53 bits; casts follow AMD UG1399 (see `dse.fixed`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from dse.errors import StageFailed
from dse.fixed import quantise
from dse.network import Layer, Network

#: The stage that scores a design by this reference before anything is generated.
STAGE = "foresee"
VERSION = 1
#: Accumulators above this width could lose bits in float64.
EXACT_BITS = 53
#: Values under all windows of a layer that are held at once (256 MB): images are evaluated in blocks of rows.
BLOCK_VALUES = 2**25


def reference(network: Network, x: np.ndarray) -> np.ndarray:
    """Outputs (n, ...) of the network for rows `x` (n, ...), computed in float64.

    StageFailed("unsupported") for a kind of layer that has no reference, or accumulators wider than 53 bits.
    """
    rows = np.asarray(x, dtype=np.float64)
    largest = max((layer.positions * math.prod(layer.input_shape[-1:]) * _kernel(layer) for layer in network.layers), default=1)
    block = max(1, BLOCK_VALUES // largest)
    found = [_block(network, rows[start : start + block]) for start in range(0, max(len(rows), 1), block)]
    return found[0] if len(found) == 1 else np.concatenate(found)


def _kernel(layer: Layer) -> int:
    return int(layer.attributes.get("filt_height", 1)) * int(layer.attributes.get("filt_width", 1))


def _block(network: Network, rows: np.ndarray) -> np.ndarray:
    values = {name: cast for name, _, cast in trace(network, rows)}
    return values[network.outputs[0]]


def trace(network: Network, rows: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Each layer's name, what it computes for float64 rows (n, ...), and that cast to its result type; like `reference`."""
    values: dict[str, np.ndarray] = {}
    check(network)
    for layer in network.layers:
        before = [values[name] for name in layer.inputs] or [rows.reshape(len(rows), *layer.input_shape)]
        found = KINDS[layer.kind](network, layer, before)
        values[layer.name] = quantise(found, layer.result_type)
        yield layer.name, found, values[layer.name]


def foresee(network: Network, rows: Mapping[str, np.ndarray], folder: Path) -> Mapping[str, Any]:
    """Leave the network and its outputs for each named set of rows, in the files of an emulation; no agreement is stated."""
    network.save(folder)
    outputs = {name: reference(network, x).reshape(len(x), -1) for name, x in rows.items()}
    with (folder / "outputs.npz").open("wb") as file:
        np.savez(file, allow_pickle=False, **outputs)
    return {"agreement": {}, "network": network.digest}


def check(network: Network) -> None:
    """StageFailed("unsupported") that names the first layer which has no reference, or whose sums exceed float64."""
    for layer in network.layers:
        if layer.accumulator_type is not None and layer.accumulator_type.width > EXACT_BITS:
            width = layer.accumulator_type.width
            raise StageFailed("unsupported", f"layer {layer.name}: an accumulator of {width} bits exceeds float64.")
        what = str(layer.attributes.get({"activation": "activation", "merge": "op"}.get(layer.kind, ""), layer.kind))
        if layer.kind not in KINDS or (layer.kind == "merge" and what != "add"):
            raise StageFailed(
                "unsupported",
                f"layer {layer.name}: there is no float64 reference of {what} that its emulation could be held against. "
                f"There is one of {', '.join(sorted({'add', *KINDS} - {'merge', 'input', 'clone'}))}.",
            )


def _same(network: Network, layer: Layer, before: list[np.ndarray]) -> np.ndarray:  # noqa: ARG001
    return before[0]


def _relu(network: Network, layer: Layer, before: list[np.ndarray]) -> np.ndarray:  # noqa: ARG001
    return np.asarray(np.maximum(before[0], 0.0))


def _reshape(network: Network, layer: Layer, before: list[np.ndarray]) -> np.ndarray:  # noqa: ARG001
    return before[0].reshape(len(before[0]), *layer.output_shape)


def _dense(network: Network, layer: Layer, before: list[np.ndarray]) -> np.ndarray:
    return _accumulated(network, layer, before[0].reshape(len(before[0]), -1))


def _convolution(network: Network, layer: Layer, before: list[np.ndarray]) -> np.ndarray:
    windows = _windows(layer, before[0], "filt")
    return _accumulated(network, layer, windows.reshape(*windows.shape[: -_axes(layer) - 1], -1))


def _depthwise(network: Network, layer: Layer, before: list[np.ndarray]) -> np.ndarray:
    """Product sums over each channel by itself: weights are (kernel_h, kernel_w, n_chan, multiplier)."""
    weights = network.weights[f"{layer.name}/weight"]
    return _biased(network, layer, np.einsum("nyxhwc,hwcm->nyxcm", _windows(layer, before[0], "filt"), weights))


def _pool(network: Network, layer: Layer, before: list[np.ndarray]) -> np.ndarray:  # noqa: ARG001
    return _pooled(layer, _windows(layer, before[0], "pool"), _axes(layer))


def _global_pool(network: Network, layer: Layer, before: list[np.ndarray]) -> np.ndarray:  # noqa: ARG001
    pixels = before[0].reshape(len(before[0]), -1, before[0].shape[-1])
    return _pooled(layer, pixels, 1).reshape(len(pixels), *layer.output_shape)


def _pad(network: Network, layer: Layer, before: list[np.ndarray]) -> np.ndarray:  # noqa: ARG001
    return np.pad(before[0], _padding(layer, before[0].ndim - 2))


def _merge(network: Network, layer: Layer, before: list[np.ndarray]) -> np.ndarray:  # noqa: ARG001
    return np.asarray(before[0] + before[1])


def _concatenate(network: Network, layer: Layer, before: list[np.ndarray]) -> np.ndarray:  # noqa: ARG001
    return np.concatenate(before, axis=-1)


def _batchnorm(network: Network, layer: Layer, before: list[np.ndarray]) -> np.ndarray:
    scale, bias = (network.weights[f"{layer.name}/{part}"] for part in ("weight", "bias"))
    return np.asarray(before[0] * scale + bias)


#: What a kind of layer computes before the cast to its result type.
KINDS: Mapping[str, Callable[[Network, Layer, list[np.ndarray]], np.ndarray]] = MappingProxyType(
    {
        **dict.fromkeys(("input", "quantize", "clone"), _same),
        "relu": _relu,
        "reshape": _reshape,
        "dense": _dense,
        **dict.fromkeys(("conv1d", "conv2d"), _convolution),
        "depthwise_conv2d": _depthwise,
        **dict.fromkeys(("maxpool1d", "maxpool2d", "avgpool1d", "avgpool2d"), _pool),
        **dict.fromkeys(("global_maxpool", "global_avgpool"), _global_pool),
        "padding": _pad,
        "merge": _merge,
        "concatenate": _concatenate,
        "batchnorm": _batchnorm,
    }
)


def _accumulated(network: Network, layer: Layer, rows: np.ndarray) -> np.ndarray:
    """Product sums plus bias, cast to the accumulator's type: the last axis of `rows` meets the weights."""
    weights = network.weights[f"{layer.name}/weight"]
    return _biased(network, layer, rows @ weights.reshape(rows.shape[-1], -1))


def _biased(network: Network, layer: Layer, sums: np.ndarray) -> np.ndarray:
    bias = network.weights.get(f"{layer.name}/bias")
    shaped = sums.reshape(len(sums), *layer.output_shape)
    total = shaped if bias is None else shaped + bias
    return total if layer.accumulator_type is None else quantise(total, layer.accumulator_type)


def _pooled(layer: Layer, windows: np.ndarray, axes: int) -> np.ndarray:
    """The largest or the mean value over the `axes` axes before the last; means are cut towards zero as hls4ml's division."""
    over = tuple(range(-axes - 1, -1))
    if "max" in layer.kind:
        return np.asarray(windows.max(axis=over))
    found, accumulator = windows.sum(axis=over), layer.accumulator_type
    if accumulator is None:
        raise StageFailed("unsupported", f"layer {layer.name}: a mean without an accumulator's type.")
    count = windows.size // found.size
    return np.asarray(np.trunc(quantise(found, accumulator) / accumulator.step / count) * accumulator.step)


def _axes(layer: Layer) -> int:
    """How many axes a window of this layer has."""
    return 1 if layer.kind.endswith("1d") else 2


def _padding(layer: Layer, axes: int) -> list[tuple[int, int]]:
    """Zeros before and after along each axis of (n, ..., n_chan)."""
    sides = [("top", "bottom"), ("left", "right")][2 - axes :]
    a = layer.attributes
    return [(0, 0), *((int(a[f"pad_{first}"]), int(a[f"pad_{last}"])) for first, last in sides), (0, 0)]


def _windows(layer: Layer, image: np.ndarray, what: str) -> np.ndarray:
    """Windows (n, out..., window..., n_chan) of images (n, ..., n_chan); `what` is "filt" or "pool"."""
    a, names = layer.attributes, ("height", "width")[2 - _axes(layer) :]
    sizes = tuple(int(a[f"{what}_{name}"]) for name in names)
    axes = tuple(range(1, 1 + len(sizes)))
    found = np.lib.stride_tricks.sliding_window_view(np.pad(image, _padding(layer, len(sizes))), sizes, axis=axes)
    steps = tuple(slice(None, None, int(a[f"stride_{name}"])) for name in names)
    return np.moveaxis(found[(slice(None), *steps)], 1 + len(sizes), -1)

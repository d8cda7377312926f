"""A `Network` as one graph of adders, shifts and multiplexers: every product sum unrolled, every constant folded in.

The layers mean what `dse.nn.reference` says that they mean; here the values are alkaid's symbolic fixed-point variables.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dse.network import FixedType, Layer, Network
from dse.synth.open.cast import cast

#: alkaid's hardware model: how many bits an adder and a carry chain take at once, and no cut of its own.
HARDWARE = (1, 1, -1)


def unroll(network: Network) -> Any:
    """The network as alkaid's CombLogic, inputs and outputs flat; `refuse` must have let it pass."""
    from alkaid.trace import trace
    from alkaid.trace.passes import optimize

    values: dict[str, Any] = {}
    for layer in network.layers:
        before = [values[name] for name in layer.inputs] or [_variables(layer.output_shape, layer.result_type)]
        values[layer.name] = before[0] if layer.kind == "input" else cast(_evaluate(network, layer, before), layer.result_type)
    first = next(values[layer.name] for layer in network.layers if layer.kind == "input")
    raw = trace(first.ravel(), values[network.outputs[0]].ravel(), optimize=False)
    # alkaid would trace the graph a second time: measured, that changes nothing and takes most of the time
    return optimize(raw, retrace=False, keep_dead_inputs=True)


def _variables(shape: tuple[int, ...], of: FixedType) -> Any:
    from alkaid.trace import FVArray, HWConfig

    bits = (int(of.signed), of.integer - of.signed, of.fraction)
    return FVArray.from_kif(*(np.full(shape, number) for number in bits), HWConfig(*HARDWARE))


def _like(x: Any, found: Any) -> Any:
    """Objects (variables and numbers) as an array of variables with the settings of `x`."""
    from alkaid.trace import FVArray

    return FVArray(np.asarray(found, dtype=object), x.solver_options, hwconf=x.hwconf)


def _evaluate(network: Network, layer: Layer, before: list[Any]) -> Any:  # noqa: C901, PLR0911 - one per kind
    x = before[0]
    match layer.kind:
        case "quantize" | "clone":
            return x
        case "relu":
            return _like(x, [v.relu() if v.low < 0 else v for v in np.asarray(x).ravel()]).reshape(x.shape)
        case "reshape":
            return x.reshape(layer.output_shape)
        case "padding":
            return _like(x, np.pad(np.asarray(x), _padding(layer, x.ndim - 1), constant_values=0.0))
        case "dense":
            return _summed(network, layer, x.reshape(-1, layer.n_in))
        case "conv1d" | "conv2d":
            return _summed(network, layer, _windows(layer, x, "filt").reshape(-1, layer.n_in))
        case "depthwise_conv1d" | "depthwise_conv2d":
            return _depthwise(network, layer, x)
        case "batchnorm":
            scale, bias = (network.weights[f"{layer.name}/{part}"] for part in ("weight", "bias"))
            return _like(x, np.asarray(x) * scale + bias)
        case "merge":
            return before[0] + before[1]
        case "concatenate":
            return _like(x, np.concatenate([np.asarray(part) for part in before], axis=-1))
    if layer.kind.startswith("global"):
        return _pooled(layer, _like(x, np.asarray(x).reshape(-1, x.shape[-1])), 1)
    return _pooled(layer, _windows(layer, x, "pool"), _axes(layer))


def _summed(network: Network, layer: Layer, rows: Any) -> Any:
    """Product sums of rows (positions, n_in) plus bias, cast to the accumulator's type."""
    weights = network.weights[f"{layer.name}/weight"].reshape(layer.n_in, -1)
    sums = [_product_sum(_like(rows, row), weights) for row in np.asarray(rows)]
    return _biased(network, layer, _like(rows, np.stack(sums)))


def _product_sum(row: Any, weights: np.ndarray) -> np.ndarray:
    """Sums of a row (n_in) by weights (n_in, n_out); constants of the row, such as padding, become constants of the sum."""
    raw = np.asarray(row)
    live = np.array([v.low != v.high for v in raw])
    fixed = np.array([0.0 if alive else float(v.low) for v, alive in zip(raw, live, strict=True)]) @ weights
    if not live.any():
        return np.asarray(fixed, dtype=object)
    return np.asarray(_like(row, raw[live]) @ weights[live] + fixed)


def _biased(network: Network, layer: Layer, sums: Any) -> Any:
    bias = network.weights.get(f"{layer.name}/bias")
    total = sums if bias is None else sums + bias
    shaped = _like(sums, np.asarray(total).reshape(layer.output_shape))
    return shaped if layer.accumulator_type is None else cast(shaped, layer.accumulator_type)


def _depthwise(network: Network, layer: Layer, image: Any) -> Any:
    """Product sums over each channel by itself: weights are (kernel..., n_chan, multiplier)."""
    weights = network.weights[f"{layer.name}/weight"]
    channels, multiplier = weights.shape[-2:]
    windows = _windows(layer, image, "filt")
    rows = windows.reshape(-1, math.prod(weights.shape[:-2]), channels)
    flat = weights.reshape(-1, channels, multiplier)
    sums = [[_product_sum(_like(image, row[:, c]), flat[:, c]) for c in range(channels)] for row in np.asarray(rows)]
    return _biased(network, layer, _like(image, np.array(sums, dtype=object).reshape(len(rows), -1)))


def _pooled(layer: Layer, windows: Any, axes: int) -> Any:
    """The largest or the mean value over the `axes` axes before the last; means are cut towards zero as hls4ml's division."""
    raw = np.asarray(windows)
    flat = np.moveaxis(raw.reshape(*raw.shape[: -axes - 1], -1, raw.shape[-1]), -2, -1)
    if "max" in layer.kind:
        return _like(windows, np.amax(_like(windows, flat), axis=-1)).reshape(layer.output_shape)
    accumulator = layer.accumulator_type
    assert accumulator is not None
    sums = cast(_like(windows, np.sum(_like(windows, flat), axis=-1)), accumulator)
    count = flat.shape[-1]
    cut = FixedType(accumulator.width, accumulator.integer, accumulator.signed, "TRN_ZERO", "WRAP")
    return cast(_like(windows, np.asarray(sums) * (1.0 / count)), cut).reshape(layer.output_shape)


def _axes(layer: Layer) -> int:
    """How many axes a window of this layer has."""
    return 1 if layer.kind.endswith("1d") else 2


def _padding(layer: Layer, axes: int) -> list[tuple[int, int]]:
    """Zeros before and after along each axis of (..., n_chan)."""
    sides = [("top", "bottom"), ("left", "right")][2 - axes :]
    a = layer.attributes
    return [*((int(a[f"pad_{first}"]), int(a[f"pad_{last}"])) for first, last in sides), (0, 0)]


def _windows(layer: Layer, image: Any, what: str) -> Any:
    """Windows (out..., window..., n_chan) of an image (..., n_chan); `what` is "filt" or "pool"."""
    a, names = layer.attributes, ("height", "width")[2 - _axes(layer) :]
    sizes = tuple(int(a[f"{what}_{name}"]) for name in names)
    padded = np.pad(np.asarray(image), _padding(layer, len(sizes)), constant_values=0.0)
    found = np.lib.stride_tricks.sliding_window_view(padded, sizes, axis=tuple(range(len(sizes))))
    steps = tuple(slice(None, None, int(a[f"stride_{name}"])) for name in names)
    return _like(image, np.moveaxis(found[steps], len(sizes), -1))

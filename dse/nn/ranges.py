"""How values meet their types: ranges of weights and results against them, and where on the way bits are lost.

Everything is computed in float64 from a `Network` and rows, by its reference; that equals the compiled emulation (agreement).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dse.fixed import integer_bits, quantise
from dse.network import FixedType, Network
from dse.nn.reference import trace as traced

#: So fine that a network with it computes what one of real numbers does, to 1e-9 while values stay below 500,000.
FINE = FixedType(53, 20, saturation="SAT")
FLOAT_FILE = "float.npz"
#: Shares of the magnitudes that are drawn: whiskers, box and median.
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Range:
    """Values of one part ("weight", "bias" or "result") of a layer against a type.

    `low`, `high`: the extreme values; `magnitudes`: QUANTILES of |value| over those that are not 0 (empty where all are).
    `integer`: integer bits that hold all of them, the sign's among them. `overflow`: the share beyond the type's ends, which
    wraps or saturates; `underflow`: the share that is not 0 and becomes it.
    """

    layer: str
    part: str
    count: int
    low: float
    high: float
    magnitudes: tuple[float, ...]
    integer: int
    type: str
    type_low: float
    type_high: float
    step: float
    overflow: float
    underflow: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Loss:
    """How a layer's values in fixed point differ from those of real numbers.

    `largest` and `rms` are of the difference, `relative` is rms over the rms of the real values, `correlation` is theirs (None
    where one side is constant). `overflow` and `underflow` are of the cast to the layer's result type, as in `Range`.
    """

    layer: str
    kind: str
    type: str
    largest: float
    rms: float
    relative: float | None
    correlation: float | None
    overflow: float
    underflow: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def save_float(folder: Path, weights: Mapping[str, np.ndarray]) -> None:
    """Keep the weights that a network had before they were quantised."""
    with (folder / FLOAT_FILE).open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **weights)


def load_float(folder: Path) -> dict[str, np.ndarray] | None:
    """What `save_float` has kept; None where nothing was."""
    if not (folder / FLOAT_FILE).exists():
        return None
    with np.load(folder / FLOAT_FILE, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def real(network: Network, weights: Mapping[str, np.ndarray] | None = None) -> Network:
    """The network in real numbers, nearly: with types that lose nothing, and with other weights where they are given."""
    layers = [
        replace(layer, result_type=FINE, accumulator_type=None if layer.accumulator_type is None else FINE)
        for layer in network.layers
    ]
    return replace(network, layers=tuple(layers), weights=network.weights if weights is None else weights)


def profile(network: Network, weights: Mapping[str, np.ndarray], x: np.ndarray) -> Iterator[Range]:
    """The ranges of these weights, and of what the network in real numbers gives for rows `x`, against the network's types.

    StageFailed("unsupported") for a layer that has no float64 reference.
    """
    values = {name: found for name, found, _ in traced(real(network, weights), np.asarray(x, dtype=np.float64))}
    for layer in network.layers:
        for part, kind in (("weight", layer.weight_type), ("bias", layer.bias_type)):
            array = weights.get(f"{layer.name}/{part}")
            if array is not None and kind is not None and np.any(array):
                yield _range(layer.name, part, array, kind)
        if layer.kind not in ("reshape", "clone", "padding"):
            yield _range(layer.name, "result", values[layer.name], layer.result_type)


def _range(layer: str, part: str, values: np.ndarray, kind: FixedType) -> Range:
    values = np.asarray(values, dtype=np.float64).ravel()
    sizes = np.abs(values[values != 0])
    return Range(
        layer,
        part,
        len(values),
        float(values.min()),
        float(values.max()),
        tuple(map(float, np.quantile(sizes, QUANTILES))) if len(sizes) else (),
        integer_bits(values, 32, covering=True),
        str(kind),
        kind.low,
        kind.high,
        kind.step,
        *_lost(values, kind),
    )


def _lost(values: np.ndarray, kind: FixedType) -> tuple[float, float]:
    """The shares that are beyond the type's ends after rounding, and that are not 0 and become it."""
    rounded = quantise(values, replace(kind, width=64, integer=64 - kind.fraction, signed=True, saturation="SAT"))
    return float(np.mean((rounded < kind.low) | (rounded > kind.high))), float(np.mean((values != 0) & (rounded == 0)))


def trace(network: Network, weights: Mapping[str, np.ndarray] | None, x: np.ndarray) -> tuple[Loss, ...]:
    """What each layer loses against the same network in real numbers, with `weights` where the network's were quantised."""
    rows = np.asarray(x, dtype=np.float64)
    truth = {name: found for name, found, _ in traced(real(network, weights), rows)}
    return tuple(_loss(network, name, truth[name], found, cast) for name, found, cast in traced(network, rows))


def _loss(network: Network, name: str, truth: np.ndarray, found: np.ndarray, cast: np.ndarray) -> Loss:
    layer, difference = network.layer(name), cast - truth
    size = float(np.sqrt(np.mean(truth**2)))
    rms = float(np.sqrt(np.mean(difference**2)))
    both = truth.std() > 0 and cast.std() > 0
    return Loss(
        name,
        layer.kind,
        str(layer.result_type),
        float(np.abs(difference).max()),
        rms,
        rms / size if size > 0 else None,
        float(np.corrcoef(truth.ravel(), cast.ravel())[0, 1]) if both else None,
        *_lost(found, layer.result_type),
    )

"""The product sum: what dense layers and convolutions are made of, as the estimate sees it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dse.errors import StageFailed
from dse.network import FixedType, Layer, Network

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Weights:
    """How the weights look to a synthesiser; counts over one array of quantised integers.

    `digits` is the sum of non-zero digits in canonical signed-digit form: a constant multiplication in fabric is
    `digits - 1` additions (Booth 1951; Hwang, Computer Arithmetic, 1979). `wide` counts weights whose odd part has
    more than `NARROW_BITS` bits.
    """

    count: int
    zeros: int
    powers: int
    digits: int
    wide: int

    @property
    def nonzero(self) -> int:
        """Weights that are not zero."""
        return self.count - self.zeros


#: Constants whose odd part fits in this many bits are built from shifts and additions (seen in Vivado HLS 2020.1).
NARROW_BITS = 6


def weights_of(array: np.ndarray, kind: FixedType) -> Weights:
    """Count what matters in an array of quantised weights, any shape."""
    import numpy as np

    whole = np.abs(np.rint(array.ravel() / kind.step)).astype(np.int64)
    lowest = whole & -whole
    # bits of q xor 3q are the non-zero digits of the non-adjacent form (Prodinger, Integers 0, 2000)
    digits = np.bitwise_count(whole ^ (3 * whole))
    zeros = int(np.count_nonzero(whole == 0))
    odd = whole // np.maximum(lowest, 1)
    return Weights(
        count=whole.size,
        zeros=zeros,
        powers=int(np.count_nonzero(whole == lowest)) - zeros,
        digits=int(digits.sum()),
        wide=int(np.count_nonzero(odd >= 1 << NARROW_BITS)),
    )


@dataclass(frozen=True, slots=True)
class ProductSum:
    """`n_out` sums of `n_in` products each, evaluated `positions` times per input of the network."""

    name: str
    n_in: int
    n_out: int
    positions: int
    strategy: str
    reuse_factor: int
    input_bits: int
    weight_bits: int
    accumulator_bits: int
    weights: Weights

    @property
    def multipliers(self) -> int:
        """Multipliers that work at a time: ceil(n_in * n_out / reuse factor)."""
        return math.ceil(self.n_in * self.n_out / self.reuse_factor)


def product_sum(layer: Layer, network: Network) -> ProductSum:
    """The product sum of a dense layer or a convolution; StageFailed("invalid") where a type or the weights are missing."""
    source = layer.inputs[0] if layer.inputs else ""
    array = network.weights.get(f"{layer.name}/weight")
    missing = [name for name in ("weight_type", "accumulator_type") if getattr(layer, name) is None]
    if array is None or missing or layer.reuse_factor is None or not source:
        lacking = ", ".join(missing) or ("weights" if array is None else "reuse factor or input")
        raise StageFailed("invalid", f"layer {layer.name} ({layer.kind}): no {lacking}; convert the network again.")
    assert layer.weight_type is not None
    assert layer.accumulator_type is not None
    return ProductSum(
        name=layer.name,
        n_in=layer.n_in,
        n_out=layer.n_out,
        positions=layer.positions,
        strategy=layer.strategy,
        reuse_factor=layer.reuse_factor,
        input_bits=network.layer(source).result_type.width,
        weight_bits=layer.weight_type.width,
        accumulator_bits=layer.accumulator_type.width,
        weights=weights_of(array, layer.weight_type),
    )

"""The product sum: what dense layers and convolutions are made of, as the estimate sees it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dse.errors import StageFailed
from dse.network import FixedType, Layer, Network
from dse.synth.estimate.constants import Constants, constants_of


@dataclass(frozen=True, slots=True)
class ProductSum:
    """`n_out` sums of `n_in` products with constants each.

    `biases` counts outputs whose bias is not zero; `packed` is true where the inputs arrive side by side in one port, as the
    inputs of an io_parallel network do.
    """

    n_in: int
    n_out: int
    strategy: str
    reuse_factor: int
    input_bits: int
    weight_bits: int
    accumulator_bits: int
    constants: Constants
    biases: float
    packed: bool = False

    @property
    def multipliers(self) -> int:
        """Multipliers that the reuse factor allows: ceil(n_in * n_out / reuse factor)."""
        return math.ceil(self.n_in * self.n_out / self.reuse_factor)

    @property
    def adder_bits(self) -> float:
        """Width of the additions: the tools narrow an accumulator to what its terms can reach."""
        return min(self.accumulator_bits, self.input_bits + self.constants.mean_bits + 1)

    @property
    def regime(self) -> str:
        """Which closed form applies.

        "unrolled": constants are folded into the logic (latency strategy); "inner" and "outer": weights come from memory, the
        loop runs within one output's inputs, or over several outputs (`nnet_dense_resource.h`, reuse factor up to n_in, above).
        """
        if self.strategy == "latency":
            return "unrolled"
        if self.strategy != "resource":
            return self.strategy
        if self.reuse_factor == 1:
            return "unrolled_resource"
        return "inner" if self.reuse_factor <= self.n_in else "outer"


def product_sum(layer: Layer, network: Network) -> ProductSum:
    """The product sum of a dense layer or a convolution; StageFailed("invalid") where a type or the weights are missing."""
    source = layer.inputs[0] if layer.inputs else ""
    array = network.weights.get(f"{layer.name}/weight")
    lacking = [name for name in ("weight_type", "accumulator_type", "reuse_factor") if getattr(layer, name) is None]
    lacking += ["weights"] * (array is None) + ["input"] * (not source)
    if array is None or lacking:
        what = ", ".join(lacking)
        raise StageFailed("invalid", f"layer {layer.name} ({layer.kind}): no {what}; convert the network again.")
    kind, accumulator = layer.weight_type, layer.accumulator_type
    assert isinstance(kind, FixedType)
    assert isinstance(accumulator, FixedType)
    bias = network.weights.get(f"{layer.name}/bias")
    before = network.layer(source)
    return ProductSum(
        n_in=layer.n_in,
        n_out=layer.n_out,
        strategy=layer.strategy,
        reuse_factor=int(layer.reuse_factor or 1),
        input_bits=before.result_type.width,
        weight_bits=kind.width,
        accumulator_bits=accumulator.width,
        constants=constants_of(array, kind),
        biases=0.0 if bias is None else float((bias != 0).sum()),
        packed=network.io_type == "io_parallel" and before.kind == "input",
    )

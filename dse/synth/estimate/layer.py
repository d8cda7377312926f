"""One layer's cost, how well it is supported and how far off it may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dse.errors import StageFailed
from dse.network import Layer, Network
from dse.synth.estimate import trees as ensemble
from dse.synth.estimate.cost import FIGURES, Cost
from dse.synth.estimate.elements import ELEMENTS
from dse.synth.estimate.fit import Fit
from dse.synth.estimate.product import ProductSum, product_sum
from dse.synth.estimate.reused import further_cuts, inner, outer
from dse.synth.estimate.tool import Tool
from dse.synth.estimate.unrolled import chained, unrolled, unrolled_resource
from dse.synth.estimate.windows import convolution, pooling

WINDOWED = ("conv1d", "conv2d", "depthwise_conv1d", "depthwise_conv2d")
PRODUCTS = ("dense", *WINDOWED)
POOLS = ("maxpool1d", "maxpool2d", "avgpool1d", "avgpool2d", "global_maxpool", "global_avgpool")
#: Why a strategy has no closed form.
NO_LAW = {
    "resource_unrolled": "what Vitis builds of it is not known (its interval differs from the reuse factor)",
    "distributed_arithmetic": "its adders come from da4ml's own search; open synthesis measures them",
}


#: LUTs per input that a streamed dense layer collects, by whether weights are folded into logic (Vitis HLS 2023.2) or in
#: memory (Vivado HLS 2019.2).
COLLECT_LUTS = {True: 1.0, False: 40.0}


#: Bits of all inputs together in all published layers but one, which is also the only one whose sums are `chained`: one layer
#: does not tell which of the two makes it 24 times as slow as a tree. So the half-widths of both hold chain and tree.
PORT_BITS = 4096
UNLIKE = {"latency_cycles": 3.2, "interval_cycles": 2.5, "ff": 1.0}


@dataclass(frozen=True, slots=True)
class Supported:
    """A cost with its grade ("calibrated" or "law") and the half-width of the interval of each figure (see `Fit`)."""

    cost: Cost
    grade: str
    scores: Mapping[str, float]


def layer_cost(layer: Layer, network: Network, tool: Tool, fit: Fit) -> Supported:
    """StageFailed("unsupported") where nothing supports the kind of layer or its strategy."""
    if layer.kind in PRODUCTS:
        product = product_sum(layer, network)
        try:
            found = product_cost(product, tool, fit)
        except StageFailed as error:
            raise StageFailed(error.kind, f"layer {layer.name}: {error.message}") from error
        if layer.kind == "dense":
            return _streamed_dense(layer, product, found) if network.io_type == "io_stream" else found
        return Supported(convolution(layer, product, found.cost, network), "law", fit.scores["window"])
    if layer.kind in POOLS:
        return Supported(pooling(layer, network, tool), "law", fit.scores["element"])
    if layer.kind in ELEMENTS:
        return Supported(ELEMENTS[layer.kind](layer, network, tool), "law", fit.scores["element"])
    if layer.kind == "trees":
        return Supported(ensemble.trees(layer, network, tool), "law", ensemble.SCORES)
    known = ", ".join((*PRODUCTS, *POOLS, *ELEMENTS, "trees"))
    raise StageFailed("unsupported", f"layer {layer.name}: no estimate for kind {layer.kind!r}; there is one for {known}.")


def _streamed_dense(layer: Layer, product: ProductSum, found: Supported) -> Supported:
    """All inputs are collected before the sum begins and results are written after it (`nnet_dense_stream.h`)."""
    pixels = 1
    for size in layer.input_shape[:-1]:
        pixels *= size
    one = found.cost.plus(collecting(product))
    cycles = one.latency_cycles + pixels + 2
    return Supported(Cost(one.dsp, one.lut, one.ff, one.bram_18k, cycles, cycles), "law", found.scores)


def collecting(product: ProductSum) -> Cost:
    """Registers and multiplexers of inputs that a streamed dense layer holds while it works."""
    luts = COLLECT_LUTS[product.regime in ("unrolled", "unrolled_resource")]
    return Cost(ff=product.n_in * product.input_bits, lut=luts * product.n_in)


def product_cost(product: ProductSum, tool: Tool, fit: Fit) -> Supported:
    """A dense layer's product sum by its regime; StageFailed("unsupported") for strategies without a closed form."""
    regime = product.regime
    if regime == "unrolled":
        cost = unrolled(product, tool, fit.prices)
    elif regime == "unrolled_resource":
        cost = unrolled_resource(product, tool, fit.prices)
    elif regime in ("inner", "outer"):
        cost = (inner if regime == "inner" else outer)(product, tool)
    else:
        reason = NO_LAW.get(regime, "unknown")
        raise StageFailed("unsupported", f"strategy {regime!r}: no estimate, {reason}.")
    if unlike(product, tool) and regime in ("unrolled", "unrolled_resource"):
        return Supported(cost, "law", {**fit.scores[regime], **UNLIKE})
    values = _where(product, tool)
    for domain in fit.domains:
        if domain.holds(regime, tool.family, tool.vitis, values):
            return Supported(cost, "calibrated", domain.scores)
    return Supported(cost, "law", _doubtful(cost, product, fit.scores[regime]))


def _doubtful(cost: Cost, product: ProductSum, scores: Mapping[str, float]) -> Mapping[str, float]:
    """Wider where the regime's layers do not tell.

    Sums that end before the reuse factor is over let the next input in: the interval is no surer than the latency. Inputs that
    may each be cut from a port's word (`further_cuts`): the bounds of LUTs hold one cut and all of them.
    """
    found = dict(scores)
    if product.strategy == "latency" and cost.interval_cycles < product.reuse_factor:
        found["interval_cycles"] = max(scores["interval_cycles"], scores["latency_cycles"])
    if cuts := further_cuts(product):
        found["lut"] = max(scores["lut"], math.log1p(cuts / cost.lut))
    return found


def unlike(product: ProductSum, tool: Tool) -> bool:
    """Whether the layer has wider inputs or more products than those whose trees the law describes."""
    return product.n_in * product.input_bits > PORT_BITS or chained(product, tool)


def _where(product: ProductSum, tool: Tool) -> dict[str, float]:
    """The values that bound a domain."""
    return {
        "n_in": product.n_in,
        "n_out": product.n_out,
        "reuse_factor": product.reuse_factor,
        "input_bits": product.input_bits,
        "weight_bits": product.weight_bits,
        "accumulator_bits": product.accumulator_bits,
        "clock_ns": tool.clock_ns,
        "zero_share": 1 - product.constants.terms / max(product.constants.count, 1),
    }


def figures(cost: Cost) -> dict[str, float]:
    """The figures by name, rounded to whole blocks and cycles."""
    return {name: float(round(getattr(cost, name))) for name in FIGURES}

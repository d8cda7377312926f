"""Hardware figures without a tool: closed forms over what will be built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dse.errors import StageFailed
from dse.metrics import Judge, Measurement, Source
from dse.network import Layer, Network
from dse.synth.estimate.laws import Cost, elementwise_cost, product_cost
from dse.synth.estimate.product import product_sum

#: Changes whenever a figure may change.
VERSION = "law-1"
#: Wires only, or nothing at all in the generated code.
FREE = ("input", "reshape")
ELEMENTWISE = ("relu", "quantize")
PRODUCTS = ("dense", "conv1d", "conv2d")


@dataclass(frozen=True, slots=True)
class Estimate:
    """Figures as high-level synthesis (csynth) would state them, from closed forms; needs neither a tool nor a project."""

    def judge(self, part: str, clock_ns: float | None) -> Judge:
        """Who says it."""
        return Judge("estimate", "csynth", VERSION, "estimated", part, clock_ns)

    def causes(self, network: Network) -> dict[str, Any]:
        """The network's digest and the version of the closed forms."""
        return {"network": network.digest, "version": VERSION}

    def synthesize(self, network: Network, project: Path, folder: Path) -> Measurement:  # noqa: ARG002
        """The same as `estimate`; neither folder is touched."""
        return self.estimate(network)

    def estimate(self, network: Network) -> Measurement:
        """Figures per layer and in total.

        StageFailed("unsupported") where a layer is of a kind that nothing supports: a network is estimated whole or not at all.
        """
        costs = {layer.name: _cost(layer, network) for layer in network.layers}
        total = _compose(costs, network)
        values = {**_figures(total), "latency_ns": total.latency_cycles * network.clock_ns}
        return Measurement(
            source=Source("synthesize", "estimate", VERSION, "estimated"),
            values=values,
            judge=self.judge(network.part, network.clock_ns),
            layers={name: _figures(cost) for name, cost in costs.items()},
            grades=dict.fromkeys(values, "law"),
        )


def _cost(layer: Layer, network: Network) -> Cost:
    stream = network.io_type == "io_stream"
    if layer.kind in PRODUCTS:
        return product_cost(product_sum(layer, network), network.clock_ns, stream=stream)
    if layer.kind in FREE:
        return Cost()
    if layer.kind in ELEMENTWISE:
        return elementwise_cost(layer, stream=stream)
    known = ", ".join((*PRODUCTS, *ELEMENTWISE, *FREE))
    raise StageFailed("unsupported", f"layer {layer.name}: no estimate for kind {layer.kind!r}; there is one for {known}.")


def _compose(costs: Mapping[str, Cost], network: Network) -> Cost:
    """Resources add up. io_parallel is one pipeline of layers, io_stream a dataflow region: both start a new input every
    max(interval) cycles; latencies add in io_parallel, overlap but for the slowest in io_stream.
    """
    parts = list(costs.values())
    slowest = max(cost.interval_cycles for cost in parts)
    if network.io_type == "io_stream":
        latency = slowest + sum(cost.latency_cycles - cost.interval_cycles for cost in parts)
    else:
        latency = sum(cost.latency_cycles for cost in parts)
    return Cost(
        dsp=sum(cost.dsp for cost in parts),
        lut=sum(cost.lut for cost in parts),
        ff=sum(cost.ff for cost in parts),
        bram_18k=sum(cost.bram_18k for cost in parts),
        latency_cycles=latency,
        interval_cycles=slowest,
    )


def _figures(cost: Cost) -> dict[str, float]:
    return {name: float(round(value)) for name, value in asdict(cost).items()}

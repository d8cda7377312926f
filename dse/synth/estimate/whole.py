"""A whole network: every layer's cost, their composition, and how sure the total is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dse.errors import StageFailed
from dse.network import Network
from dse.synth.estimate.compose import apart, compose
from dse.synth.estimate.cost import FIGURES, Cost
from dse.synth.estimate.fit import Fit
from dse.synth.estimate.layer import Supported, layer_cost
from dse.synth.estimate.tool import Tool

#: Layers that cost nothing and say nothing about the grade.
SILENT = ("input", "reshape")


@dataclass(frozen=True, slots=True)
class Whole:
    """The network's cost with grade and interval half-widths, and its layers'; `apart` is the latency without any overlap."""

    cost: Cost
    grade: str
    scores: Mapping[str, float]
    layers: Mapping[str, Supported]
    apart: float = 0.0


def whole(network: Network, tool: Tool, fit: Fit) -> Whole:
    """Estimate every layer and compose them; StageFailed naming every layer that nothing supports."""
    layers, refused = {}, []
    for layer in network.layers:
        try:
            layers[layer.name] = layer_cost(layer, network, tool, fit)
        except StageFailed as error:
            if error.kind != "unsupported":
                raise
            refused.append(error.message)
    if refused:
        raise StageFailed("unsupported", " ".join(refused))
    costs = {name: found.cost for name, found in layers.items()}
    cost = compose(costs, network, tool)
    longest = apart(costs, network) if network.io_type == "io_stream" else 0.0
    spoken = [layers[layer.name] for layer in network.layers if layer.kind not in SILENT]
    if len(spoken) == 1 and spoken[0].grade == "calibrated":
        return Whole(cost, "calibrated", spoken[0].scores, layers, longest)
    scores = {name: max(_mean(spoken, name), fit.scores["network"][name]) for name in FIGURES}
    return Whole(cost, "law", scores, layers, longest)


def _mean(layers: list[Supported], figure: str) -> float:
    """The half-width of a sum whose terms are all off to the same side: the mean weighted by what each layer costs."""
    shares = [(float(getattr(layer.cost, figure)), layer.scores[figure]) for layer in layers]
    total = sum(share for share, _ in shares)
    return sum(share * score for share, score in shares) / total if total > 0 else 0.0

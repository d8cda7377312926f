"""How wide intervals must be: errors on what a fit has not seen."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from estimate_prices import COLUMNS, Sample, fit_prices, project_of, smape

from bench.designs import network_of
from dse.errors import StageFailed, UsageError
from dse.synth.estimate.constants import Constants
from dse.synth.estimate.cost import FIGURES, Cost
from dse.synth.estimate.fit import Fit, read
from dse.synth.estimate.layer import unlike
from dse.synth.estimate.published import PublishedLayer, number, tool_of
from dse.synth.estimate.whole import whole

#: Added before the logarithm of a ratio: what is noise for each figure.
OFFSETS = {"dsp": 2.0, "lut": 50.0, "ff": 50.0, "bram_18k": 1.0, "latency_cycles": 1.0, "interval_cycles": 0.1}
COVERAGE = 0.9
#: Least half-widths of grade "law": three sources are too few to believe a narrower one. Windows and elements have no held-out
#: data; theirs are set by hand, wider than what the modules of the reports at hand were missed by.
LEAST = {
    "unrolled": {"dsp": 0.2, "lut": 0.3, "ff": 0.5, "bram_18k": 0.1, "latency_cycles": 0.4, "interval_cycles": 0.1},
    "outer": {"dsp": 0.2, "lut": 0.4, "ff": 0.6, "bram_18k": 0.3, "latency_cycles": 0.3, "interval_cycles": 0.1},
    "window": {"dsp": 0.4, "lut": 0.9, "ff": 1.0, "bram_18k": 0.6, "latency_cycles": 0.5, "interval_cycles": 0.5},
    "element": {"dsp": 0.5, "lut": 0.9, "ff": 1.5, "bram_18k": 0.7, "latency_cycles": 0.9, "interval_cycles": 0.5},
}
#: Regimes that share their held-out errors: no source has enough of each.
FOLDED, MEMORY = ("unrolled", "unrolled_resource"), ("inner", "outer")
#: The closed forms of weights in memory were read off this source: it cannot judge them.
LAW_FROM = "wa_hls4ml_dense_2024"
LEAST |= {"inner": LEAST["outer"], "unrolled_resource": LEAST["unrolled"]}
#: Least half-widths of whole networks.
LEAST_NETWORK = {"dsp": 0.2, "lut": 0.3, "ff": 0.6, "bram_18k": 0.5, "latency_cycles": 0.3, "interval_cycles": 0.1}


def score(figure: str, guess: float, wanted: float) -> float:
    """|ln ratio| with the figure's offset: what an interval's half-width is compared with."""
    return abs(float(np.log((wanted + OFFSETS[figure]) / (guess + OFFSETS[figure]))))


def quantile(scores: Sequence[float]) -> float:
    """The conformal quantile: the smallest width that holds COVERAGE of these and one more; the largest where they are few."""
    place = math.ceil((len(scores) + 1) * COVERAGE - 1e-9) - 1
    return round(float(sorted(scores)[min(place, len(scores) - 1)]), 4)


def with_prices(found: dict[str, dict[str, float]]) -> Fit:
    """A Fit that has only prices: enough to compute costs."""
    regimes = ("unrolled", "unrolled_resource", "inner", "outer", "window", "element", "network")
    zero = {regime: dict.fromkeys(FIGURES, 0.0) for regime in regimes}
    return read(
        {"version": "", "prices": found, "offsets": OFFSETS, "domains": [], "scores": zero, "ratios": {}, "outcomes": []}
    )


def held_out(everything: Sequence[Sample], groups: Sequence[Any], tries: int) -> list[Cost]:
    """The cost of every sample by a fit that has not seen its group."""
    found = [Cost()] * len(everything)
    for group in sorted(set(groups), key=str):
        rest = [s for s, g in zip(everything, groups, strict=True) if g != group]
        fit = with_prices(fit_prices(rest, tries))
        for i, s in enumerate(everything):
            if groups[i] == group:
                found[i] = s.layer.cost(fit).cost
    return found


def scores_of(everything: Sequence[Sample], costs: Sequence[Cost]) -> list[dict[str, float]]:
    """The score of every figure of every sample."""
    pairs = zip(everything, costs, strict=True)
    return [{name: score(name, getattr(cost, name), value) for name, value in s.found.items()} for s, cost in pairs]


def summary(everything: Sequence[Sample], costs: Sequence[Cost]) -> dict[str, dict[str, float]]:
    """Symmetric error of each figure by project, percent."""
    found: dict[str, dict[str, float]] = {}
    for project in sorted({s.project for s in everything}):
        some = [i for i, s in enumerate(everything) if s.project == project]
        found[project] = {"layers": len(some)}
        for name in FIGURES:
            guess = np.array([round(getattr(costs[i], name)) for i in some], dtype=float)
            wanted = np.array([everything[i].found[name] for i in some])
            found[project][name] = round(float(smape(guess, wanted).mean()), 2)
    return found


def law_scores(everything: Sequence[Sample], found: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Half-widths of grade "law" by regime, at least LEAST: see `widest`.

    Layers with weights in memory have one source besides LAW_FROM, which tells nothing of how sources differ: what the tool
    makes of logic and registers is believed no better there than where weights are folded.
    """
    widths = {regime: dict(row) for regime, row in LEAST.items()}
    for figure in FIGURES:
        of = {kinds: _judges(everything, found, kinds, figure) for kinds in (FOLDED, MEMORY)}
        for kinds, pairs in of.items():
            others = of[FOLDED] if kinds == MEMORY and figure in ("lut", "ff") else []
            for regime in kinds:
                widths[regime][figure] = max(LEAST[regime][figure], widest(pairs), widest(others))
    return widths


def _judges(
    everything: Sequence[Sample], found: Sequence[dict[str, float]], kinds: Sequence[str], figure: str
) -> list[tuple[str, float]]:
    """Project and score of the layers that may judge the law of these regimes (unlike the rest: widths of their own)."""
    return [
        (s.project, scores[figure])
        for s, scores in zip(everything, found, strict=True)
        if s.layer.product.regime in kinds
        and figure in scores
        and not unlike(s.layer.product, s.layer.tool)
        and not (kinds == MEMORY and s.source == LAW_FROM)
    ]


def widest(pairs: Sequence[tuple[str, float]]) -> float:
    """The widest of the projects' own conformal quantiles; 0 without any.

    Layers of one project are off together, so projects are what is exchangeable (conformal prediction for hierarchical data:
    Dunn, Wasserman and Ramdas, JASA 2023). Of five and one to come each is as likely as the next to be the worst: the widest
    holds what it says for five new projects in six, and part of the sixth.
    """
    projects = sorted({project for project, _ in pairs})
    return max((quantile([score for owner, score in pairs if owner == project]) for project in projects), default=0.0)


def domains(everything: Sequence[Sample], found: Sequence[dict[str, float]]) -> list[dict[str, Any]]:
    """The boxes that calibrated intervals hold in: one per source and regime with at least 20 layers."""
    boxes = []
    keys = sorted({(s.source, s.layer.product.regime, s.layer.tool.family, s.layer.tool.vitis) for s in everything}, key=str)
    for source, regime, family, vitis in keys:
        key = (source, regime, family, vitis)
        some = [
            i for i, s in enumerate(everything)
            if (s.source, s.layer.product.regime, s.layer.tool.family, s.layer.tool.vitis) == key
        ]  # fmt: skip
        some = [i for i in some if not unlike(everything[i].layer.product, everything[i].layer.tool)]
        if len(some) < 20:
            continue
        values = [bounds_of(everything[i].layer) for i in some]
        boxes.append(
            {
                "name": f"{source}: {len(some)} layers",
                "regime": regime,
                "family": family,
                "vitis": vitis,
                "bounds": {name: [min(v[name] for v in values), max(v[name] for v in values)] for name in values[0]},
                "scores": {f: max(quantile([found[i][f] for i in some if f in found[i]]), 0.01) for f in FIGURES},
            }
        )
    return boxes


def bounds_of(layer: PublishedLayer) -> dict[str, float]:
    """The values that bound a domain, as `layer.py` computes them."""
    p = layer.product
    constants: Constants = p.constants
    return {
        "n_in": p.n_in,
        "n_out": p.n_out,
        "reuse_factor": p.reuse_factor,
        "input_bits": p.input_bits,
        "weight_bits": p.weight_bits,
        "accumulator_bits": p.accumulator_bits,
        "clock_ns": layer.tool.clock_ns,
        "zero_share": round(1 - constants.terms / constants.count, 3),
    }


def network_scores(judges: Mapping[str, Sequence[tuple[str, float]]]) -> dict[str, float]:
    """Half-widths of whole networks from `network_judges`."""
    return {name: max(LEAST_NETWORK[name], widest(judges[name])) for name in FIGURES}


def networks(shared: Path) -> list[dict[str, str]]:
    """The rows of `designs.csv` that can judge: csynth of networks of several layers."""
    with (shared / "synthesis" / "designs.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["stage"] == "csynth" and row["source"] != LAW_FROM]


def network_judges(shared: Path, found: dict[str, dict[str, float]]) -> dict[str, list[tuple[str, float]]]:
    """By figure the project and score of every network: what its composition misses by.

    Only complete reports of networks whose rows state reuse factor and, for the latency strategy, sparsity: the rest would
    measure the guess at what they leave out. Weights are drawn, so DSP blocks and LUTs of the latency strategy say nothing of
    composition. Composition has no fitted number: every network is held out.
    """
    fit, folder = with_prices(found), shared / "synthesis"
    scores: dict[str, list[tuple[str, float]]] = {name: [] for name in FIGURES}
    for row in networks(shared):
        drawn = row["strategy"].lower() == "latency"
        if not row["reuse_factor"] or number(row, "latency_max") is None or (drawn and not row["sparsity"]):
            continue
        try:
            cost = whole(network_of(row, folder), tool_of(row), fit).cost
        except (UsageError, StageFailed):
            continue
        for name, column in COLUMNS.items():
            value = number(row, column)
            if value is not None and not (drawn and name in ("dsp", "lut")):
                scores[name].append((project_of(row), score(name, getattr(cost, name), value)))
    return scores

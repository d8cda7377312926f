"""Whether the intervals hold on a project that nothing of the fit has seen: not its prices, not its boxes, not its widths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from estimate_facts import netlist_ratios
from estimate_prices import COLUMNS, Sample, fit_prices, project_of, smape
from estimate_scores import (
    OFFSETS,
    domains,
    held_out,
    law_scores,
    network_judges,
    network_scores,
    networks,
    scores_of,
)

from bench.designs import estimate_design
from dse.synth.estimate.cost import FIGURES, Cost
from dse.synth.estimate.fit import Fit, read
from dse.synth.estimate.published import number

Judged = tuple[str, float, tuple[float, float], float]


@dataclass(frozen=True)
class Unseen:
    """The cost of every layer by fits that have not seen its project, and by fits that have not seen its shape."""

    by_project: list[Cost]
    by_shape: list[Cost]


def unseen(everything: Sequence[Sample], tries: int) -> Unseen:
    """Fit once per project and once per fifth of the shapes; the latter with half as many tries."""
    shapes = sorted({s.shape for s in everything})
    by_project = held_out(everything, [s.project for s in everything], tries)
    return Unseen(by_project, held_out(everything, [shapes.index(s.shape) % 5 for s in everything], tries // 2))


def fitted(everything: Sequence[Sample], found: Unseen, tries: int) -> dict[str, Any]:
    """Prices, calibrated boxes and widths of these layers: what is fitted of `fit.json`."""
    return {
        "prices": fit_prices(everything, tries),
        "offsets": OFFSETS,
        "domains": domains(everything, scores_of(everything, found.by_shape)),
        "scores": law_scores(everything, scores_of(everything, found.by_project)),
    }


def left_out(everything: Sequence[Sample], shared: Path, tries: int) -> Iterator[dict[str, Any]]:
    """What a fit of all other projects makes of each: per figure the symmetric error, percent, coverage and half-width."""
    rows = networks(shared)
    ratios = netlist_ratios(shared)
    for project in sorted({s.project for s in everything} | {project_of(row) for row in rows}):
        rest = [s for s in everything if s.project != project]
        found = fitted(rest, unseen(rest, tries), tries)
        judges = network_judges(shared, found["prices"])
        others = {name: [pair for pair in pairs if pair[0] != project] for name, pairs in judges.items()}
        found["scores"]["network"] = network_scores(others)
        fit = read({"version": "", "ratios": ratios, "outcomes": [], **found})
        mine = [s for s in everything if s.project == project]
        if mine:
            yield {"left out": project, "layers": len(mine), **_summed(_layers(mine, fit))}
        wholes = [row for row in rows if project_of(row) == project]
        judged = list(_networks(wholes, shared / "synthesis", fit))
        if judged:
            yield {"left out": project, "networks": len(wholes), **_summed(judged)}


def _layers(mine: Sequence[Sample], fit: Fit) -> Iterator[Judged]:
    for s in mine:
        found = s.layer.cost(fit)
        for name, stated in s.found.items():
            value = getattr(found.cost, name)
            yield name, float(round(value)), fit.interval(name, value, found.scores[name]), stated


def _networks(rows: Sequence[dict[str, str]], folder: Path, fit: Fit) -> Iterator[Judged]:
    for row in rows:
        values, intervals, _ = estimate_design(row, folder, fit)
        for name, value in values.items():
            stated = number(row, COLUMNS[name])
            if stated is not None:
                yield name, value, intervals[name], stated


def _summed(judged: Iterable[Judged]) -> dict[str, Any]:
    """Per figure: symmetric error in percent, the share that the intervals held, the median ratio of their bounds."""
    rows = list(judged)
    found: dict[str, Any] = {}
    for figure in FIGURES:
        some = [(value, bounds, stated) for name, value, bounds, stated in rows if name == figure]
        if some:
            error = smape(np.array([value for value, _, _ in some]), np.array([stated for _, _, stated in some]))
            held = [low <= stated <= high for _, (low, high), stated in some]
            offset = OFFSETS[figure]
            widths = [(high + offset) / (low + offset) for _, (low, high), _ in some]
            found[figure] = {
                "smape": round(float(error.mean()), 2),
                "coverage": round(float(np.mean(held)), 3),
                "upper_by_lower": round(float(np.median(widths)), 2),
            }
    return found

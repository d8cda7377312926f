"""Whether the intervals hold on a source that nothing of the fit has seen: not its prices, not its boxes, not its widths."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from estimate_prices import Sample, fit_prices, smape
from estimate_scores import OFFSETS, domains, held_out, law_scores, scores_of

from dse.synth.estimate.cost import FIGURES, Cost
from dse.synth.estimate.fit import Fit, read
from dse.synth.estimate.layer import product_cost


@dataclass(frozen=True)
class Unseen:
    """The cost of every layer by fits that have not seen its source, and by fits that have not seen its shape."""

    by_source: list[Cost]
    by_shape: list[Cost]


def unseen(everything: Sequence[Sample], tries: int) -> Unseen:
    """Fit once per source and once per fifth of the shapes; the latter with half as many tries."""
    shapes = sorted({s.shape for s in everything})
    by_source = held_out(everything, [s.source for s in everything], tries)
    return Unseen(by_source, held_out(everything, [shapes.index(s.shape) % 5 for s in everything], tries // 2))


def fitted(everything: Sequence[Sample], found: Unseen, tries: int) -> dict[str, Any]:
    """Prices, calibrated boxes and widths of these layers: what is fitted of `fit.json`."""
    return {
        "prices": fit_prices(everything, tries),
        "offsets": OFFSETS,
        "domains": domains(everything, scores_of(everything, found.by_shape)),
        "scores": law_scores(everything, scores_of(everything, found.by_source)),
    }


def left_out(everything: Sequence[Sample], tries: int) -> Iterator[dict[str, Any]]:
    """For each source what a fit of all others makes of it: per figure the symmetric error, percent, and the coverage."""
    for source in sorted({s.source for s in everything}):
        rest = [s for s in everything if s.source != source]
        fit = read({"version": "", "ratios": {}, "outcomes": [], **fitted(rest, unseen(rest, tries), tries)})
        mine = [s for s in everything if s.source == source]
        yield {"left out": source, "layers": len(mine), **_judged(mine, fit)}


def _judged(mine: Sequence[Sample], fit: Fit) -> dict[str, Any]:
    supported = [product_cost(s.layer.product, s.layer.tool, fit) for s in mine]
    found: dict[str, Any] = {"calibrated": sum(s.grade == "calibrated" for s in supported)}
    for name in FIGURES:
        known = [(getattr(s.cost, name), s.scores[name], m.found[name]) for s, m in zip(supported, mine, strict=True)]
        bounds = [fit.interval(name, value, width) for value, width, _ in known]
        held = [low <= stated <= high for (low, high), (_, _, stated) in zip(bounds, known, strict=True)]
        error = smape(np.rint([value for value, _, _ in known]), np.array([stated for _, _, stated in known]))
        widths = [width for _, width, _ in known]
        found[name] = {
            "smape": round(float(error.mean()), 2),
            "coverage": round(float(np.mean(held)), 3),
            "half_width": round(float(np.median(widths)), 3),
        }
    return found

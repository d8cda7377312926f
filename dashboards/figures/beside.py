"""What other judges and other runs say, drawn beside a front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dashboards.figures.marks import Picture
from dashboards.knob import Floats
from dashboards.palette import LIGHT, SERIES
from dashboards.points import direction, plain, stated, steps
from dashboards.sight import Sight

#: Other judges' figures are tied to this judge's for at most so many designs.
TIES = 400


def annotate(figure: dict[str, Any], sight: Sight, others: Sequence[Sight], what: Picture) -> None:
    """In a plain figure, tie other judges' figures of the same designs to this judge's, with hollow diamonds.

    The axes make room for them.
    """
    for other, color in zip(others, (LIGHT["purple"], LIGHT["green"], LIGHT["sky"]) * len(others), strict=False):
        here, there = stated(sight, (what.x, what.y)), stated(other, (what.x, what.y))
        rows = np.flatnonzero(here & there)[:TIES]
        if not len(rows):
            continue
        ends = []
        for metric in (what.x, what.y):
            one, two = sight.columns.figure(metric)[rows], other.columns.figure(metric)[rows]
            ends.append(np.column_stack([one, two, np.full(len(rows), np.nan)]).ravel())
        name = f"by {plain(other.judge.synthesizer)}: {plain(other.judge.tool)} {plain(other.judge.version)}"
        line = {"width": 1, "color": color, "dash": "dot"}
        shared = {"type": "scatter", "legendgroup": name, "hoverinfo": "skip", "opacity": 0.8}
        ties = {"x": ends[0], "y": ends[1], "mode": "lines", "line": line, "showlegend": False}
        look_ = {"symbol": "diamond-open", "size": 9, "color": color, "line": {"width": 1.6, "color": color}}
        points = {"x": ends[0][1::3], "y": ends[1][1::3], "mode": "markers", "marker": look_}
        points |= {"name": f"{name} ({len(rows)})", "customdata": sight.columns.trials[rows].tolist()}
        figure["data"] += [ties | shared, points | shared]
        feasible = sight.feasible[rows]  # the axes span what is feasible
        for axis, values in zip("xy", ends, strict=True):
            _widen(figure["layout"][f"{axis}axis"], values[1::3][feasible])


def overlay(figure: dict[str, Any], others: Sequence[Sight], what: Picture) -> None:
    """In a plain figure, the feasible fronts of other runs in the same two figures, as lines; the axes make room for them."""
    for other, color in zip(others, SERIES[2:] * len(others), strict=False):
        x, y = steps(other, what.x, what.y)
        if len(x):
            shape = "hv" if direction(other, what.x) == "min" else "vh"
            line = {"shape": shape, "width": 1.6, "color": color, "dash": "dash"}
            name = f"front of {plain(other.name)}"
            look_ = {"type": "scatter", "mode": "lines+markers", "line": line, "marker": {"size": 5}}
            figure["data"].append({"x": x, "y": y, "name": name, **look_})
            for axis, values in zip("xy", (x, y), strict=True):
                _widen(figure["layout"][f"{axis}axis"], values)


def _widen(axis: dict[str, Any], values: Floats) -> None:
    """Let an axis that has a range show these values, too."""
    if "range" not in axis:
        return
    ends = np.log10(values[values > 0]) if axis["type"] == "log" else values
    if len(ends):
        low, high = axis["range"]
        pad = 0.04 * (max(high, ends.max()) - min(low, ends.min()))
        axis["range"] = [low if ends.min() >= low else ends.min() - pad, high if ends.max() <= high else ends.max() + pad]

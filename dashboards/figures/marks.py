"""How points are marked: by what they are, or in colour and symbol by a knob or a figure of one's choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dashboards.knob import Floats, ranked
from dashboards.palette import LIGHT, SCALE, SERIES
from dashboards.points import Group, plain
from dashboards.sight import Sight

#: Symbols that differ at a glance; more values than these share the last one.
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star", "hexagon")
#: A knob of words, or one with at most this many values, is told by hues; others by a scale.
HUES = 6


@dataclass(frozen=True)
class Picture:
    """What a front is drawn of: the figures on its axes, decades or not (None: where they are far apart), colour and symbol
    by a knob or figure ("": by what a design is), whether texts to hover over come along, `marked` trials by their name.
    """

    x: str
    y: str
    z: str = ""
    log_x: bool | None = None
    log_y: bool | None = None
    color: str = ""
    symbol: str = ""
    hovers: bool = True
    marked: tuple[tuple[int, str], ...] = ()


def hovering(group: Group, what: Picture) -> dict[str, Any]:
    """The trials, and texts to hover over or none but the event."""
    if not what.hovers:
        return {"customdata": group.sight.columns.trials[group.rows], "hoverinfo": "none"}  # packed: there may be thousands
    return {"customdata": group.trials, "hovertext": group.hovers, "hoverinfo": "text"}


def numbers(sight: Sight, name: str) -> Floats | None:
    """A metric's or a numeric knob's values for all rows, NaN where there is none; None for a knob of words."""
    return sight.columns.figure(name) if name in sight.goals.metrics else sight.columns.setting(name).numbers


def marker(group: Group, color: str = "", symbol: str = "") -> dict[str, Any]:
    """Plotly's marker of a group; with `color` or `symbol` by that knob or figure, how faint it is still says what it is."""
    many = len(group.sight.columns) > 4000
    faint = group.opacity * (0.4 if many and not group.feasible else 1.0)  # thousands of crosses would hide the front
    found: dict[str, Any] = {"size": group.size * 0.7 if many else group.size, "opacity": faint}
    thin = "thin" in group.symbol and not symbol
    found |= {"color": group.color, "symbol": group.symbol}
    if symbol:
        codes, values = ranked(group.sight.columns.setting(symbol))
        names = np.array([*(SYMBOLS[min(place, len(SYMBOLS) - 1)] for place in range(len(values))), "x"])
        ending = "" if group.feasible else "-open"
        found["symbol"] = np.char.add(names, ending)[codes[group.rows]].tolist()
    if color:
        found |= _colors(group, color)
        found["opacity"] = 1.0 if group.on_front else 0.55 if group.feasible else 0.35 if many else 0.6
    edge: Any = group.color if thin and not color else LIGHT["surface"]
    if thin and color:
        found["symbol"] = "x"
        edge = LIGHT["surface"]
    elif color and group.on_front:
        edge = LIGHT["ink"]
    return found | {"line": {"width": 1.6 if thin and not color else 1.2 if color and group.on_front else 0.8, "color": edge}}


def by_hue(sight: Sight, name: str) -> bool:
    """Whether a name is told by hues, one for each value."""
    if name in sight.goals.metrics:
        return False
    knob = sight.columns.setting(name)
    return knob.numbers is None or len(ranked(knob)[1]) <= HUES


def _colors(group: Group, name: str) -> dict[str, Any]:
    sight = group.sight
    if not by_hue(sight, name):
        every = numbers(sight, name)
        assert every is not None
        return {"color": every[group.rows], "coloraxis": "coloraxis"}
    codes, values = ranked(sight.columns.setting(name))
    hues = np.array([*(SERIES[place % len(SERIES)] for place in range(len(values))), LIGHT["dominated"]])
    return {"color": hues[codes[group.rows]].tolist()}


def color_axis(name: str) -> dict[str, Any]:
    """The layout's scale for a name that is not told by hues."""
    return {
        "colorscale": [[place / (len(SCALE) - 1), color] for place, color in enumerate(SCALE)],
        "colorbar": {"title": {"text": plain(name), "side": "right"}, "thickness": 12, "outlinewidth": 0, "len": 0.8},
    }


def legend(sight: Sight, color: str, symbol: str) -> list[dict[str, Any]]:
    """Entries without points that say what hues and symbols mean."""
    found = []
    if color and by_hue(sight, color):
        for place, value in enumerate(ranked(sight.columns.setting(color))[1]):
            look = {"color": SERIES[place % len(SERIES)], "symbol": "circle", "size": 9}
            found.append(_entry(f"{color} {value}", look))
    if symbol:
        for place, value in enumerate(ranked(sight.columns.setting(symbol))[1]):
            look = {"color": LIGHT["quiet"], "symbol": SYMBOLS[min(place, len(SYMBOLS) - 1)], "size": 9}
            found.append(_entry(f"{symbol} {value}", look))
    return found


def _entry(name: str, look: dict[str, Any]) -> dict[str, Any]:
    shared = {"type": "scatter", "mode": "markers", "hoverinfo": "skip"}
    return {"x": [None], "y": [None], "name": plain(name), "marker": look, **shared}

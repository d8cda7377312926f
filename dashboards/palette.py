"""Colours that colour-blind people can tell apart and that survive a printer, for light and dark pages.

Hues are those of M. Okabe and K. Ito, "Color Universal Design" (2008). Figures are drawn in LIGHT; DARK has another colour
for each of them, so that a page can exchange colours one for one without drawing anew.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import plotly.graph_objects as go

LIGHT = {
    "ink": "#1f2a37",
    "quiet": "#5b6775",
    "axis": "#8d98a5",
    "grid": "#e4e8ed",
    "surface": "#fefefe",
    "front": "#0072b2",
    "dominated": "#9aa3ae",
    "infeasible": "#d55e00",
    "knee": "#e69f00",
    "green": "#009e73",
    "sky": "#56b4e9",
    "purple": "#cc79a7",
    "yellow": "#f0e442",
    "cell": "#57a5d1",
    "scale0": "#eda81c",
    "scale1": "#5a9f7c",
    "scale2": "#1f6cab",
    "scale3": "#33196b",
}
DARK = {
    "ink": "#e6eaf0",
    "quiet": "#9fabb9",
    "axis": "#6b7785",
    "grid": "#2b323b",
    "surface": "#191d23",
    "front": "#4fb3f0",
    "dominated": "#76818e",
    "infeasible": "#f0813a",
    "knee": "#f2b632",
    "green": "#1fbf92",
    "sky": "#8fd0f7",
    "purple": "#dd94bb",
    "yellow": "#f3ea6b",
    "cell": "#34698a",
    "scale0": "#fdf0a6",
    "scale1": "#84d8ae",
    "scale2": "#5aa2e6",
    "scale3": "#9268d8",
}
#: The dark colour of every light one.
DARKENED = {LIGHT[role]: DARK[role] for role in LIGHT}
#: For things that have no role, such as layers and stages; neighbours differ in hue and lightness.
SERIES = tuple(LIGHT[role] for role in ("front", "knee", "green", "purple", "sky", "infeasible", "yellow", "dominated"))
#: From low to high, ever darker: the order is seen without hues and in print.
SCALE = tuple(LIGHT[f"scale{n}"] for n in range(4))
CLEAR = "rgba(0,0,0,0)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', 'DejaVu Sans', sans-serif"

AXIS = {
    "gridcolor": LIGHT["grid"],
    "linecolor": LIGHT["axis"],
    "tickcolor": LIGHT["axis"],
    "tickfont": {"color": LIGHT["quiet"], "size": 12},
    "title": {"font": {"color": LIGHT["ink"], "size": 13}, "standoff": 8},
    "showline": True,
    "ticks": "outside",
    "ticklen": 4,
    "zeroline": False,
    "automargin": True,
}


@cache
def template() -> go.layout.Template:
    """The looks that all figures share; a figure takes a copy."""
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": LIGHT["ink"]},
            "title": {
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "pad": {"l": 2, "t": 8},
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "font": {"size": 17},
                "subtitle": {"font": {"size": 12, "color": LIGHT["quiet"]}},
            },
            "paper_bgcolor": LIGHT["surface"],
            "plot_bgcolor": LIGHT["surface"],
            "modebar": {"bgcolor": CLEAR, "color": LIGHT["axis"], "activecolor": LIGHT["ink"]},
            "colorway": SERIES,
            "xaxis": AXIS,
            "yaxis": AXIS,
            "legend": {"font": {"size": 12}, "groupclick": "togglegroup", "bgcolor": CLEAR, "itemsizing": "constant"},
            "hoverlabel": {
                "align": "left",
                "bgcolor": LIGHT["surface"],
                "bordercolor": LIGHT["axis"],
                "font": {"color": LIGHT["ink"], "size": 12, "family": FONT},
            },
            "margin": {"l": 64, "r": 24, "t": 96, "b": 56},
        }
    )


@cache
def looks() -> dict[str, Any]:
    """The template as plain data, not to be changed: plotly takes longer to look through it than to draw with it."""
    found: dict[str, Any] = template().to_plotly_json()
    return found


def darkened(plain: Any) -> Any:
    """A figure's plain dicts and lists (`to_plotly_json`) with every colour exchanged for its dark one."""
    if isinstance(plain, dict):
        return {name: darkened(value) for name, value in plain.items()}
    if isinstance(plain, (list, tuple)):
        return [darkened(value) for value in plain]
    return DARKENED.get(plain, plain) if isinstance(plain, str) else plain

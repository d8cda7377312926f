"""Bars and heat maps on paper: what `dashboards.paper` draws besides points and lines."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import numpy as np
import plotly.graph_objects as go

#: Inches that a letter of a label needs, and those that a label has in any case.
LETTER, LEAST = 0.062, 0.62
#: On a bar this dark or darker, words are written in white.
DARK = 0.55
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def words(text: str) -> str:
    """Plotly's text without its tags; exponents are digits that stand high."""
    raised = re.sub(r"<sup>([-0-9]+)</sup>", lambda found: found[1].translate(RAISED), text)
    return unescape(re.sub(r"</?su[bp]>", "", raised.replace("<br>", "\n")))


def labels(trace: Any) -> list[str]:
    """The names of a trace's rows, bars or cells, from its lists of them; none for points."""
    return [words(str(name)) for name in trace.y] if isinstance(trace, (go.Bar, go.Heatmap)) else []


def room(figure: go.Figure) -> float:
    """Inches that the longest label needs left of the axes."""
    return max([LEAST, *(LETTER * len(name) + 0.2 for trace in figure.data for name in labels(trace))])


def bars(panel: Any, traces: list[go.Bar], layout: go.Layout) -> None:
    """Lying bars with their words in or beside them; of several in a row each begins at its base or where the last ends."""
    order = [words(str(name)) for name in layout.yaxis.categoryarray or ()]
    order += [name for name in dict.fromkeys(name for trace in traces for name in labels(trace)) if name not in order]
    reached = dict.fromkeys(order, 0.0)
    whole = np.ptp(layout.xaxis.range) if layout.xaxis.range else max(sum(trace.x) for trace in traces)
    for trace in traces:
        bases = [None] * len(trace.x) if trace.base is None else trace.base
        for name, length, text, base in zip(labels(trace), trace.x, trace.text, bases, strict=True):
            place, left = order.index(name), reached[name] if base is None else base
            look = {"color": trace.marker.color, "edgecolor": "white", "linewidth": 0.4, "height": 0.66}
            panel.barh(place, length, left=left, hatch=trace.marker.pattern.shape or "", **look)
            reached[name] += length
            if trace.textposition == "outside":
                panel.text(reached[name] + 0.01 * whole, place, words(text), va="center", fontsize=7)
            elif length > 0.014 * whole * len(text):
                ink = _ink(trace.marker.color)
                panel.text(left + length / 2, place, words(text), va="center", ha="center", fontsize=7, color=ink)
        if trace.name:
            panel.barh(0, 0, color=trace.marker.color, label=words(trace.name))
    panel.set_yticks(range(len(order)), order)
    panel.set_ylim(-0.6, len(order) - 0.4)
    if layout.yaxis.autorange == "reversed":
        panel.invert_yaxis()


def cells(panel: Any, trace: go.Heatmap) -> None:
    """A heat map of shares, each written in its cell."""
    from matplotlib.colors import LinearSegmentedColormap

    scale = LinearSegmentedColormap.from_list("shares", [tuple(stop) for stop in trace.colorscale])
    values = np.asarray(trace.z, dtype=np.float64)
    panel.pcolormesh(values, cmap=scale, vmin=trace.zmin, vmax=trace.zmax, edgecolors="white", linewidth=1.5)
    for (row, column), share in np.ndenumerate(values):
        look = {"fontsize": 8, "color": trace.textfont.color}
        panel.text(column + 0.5, row + 0.5, f"{share:.0%}", ha="center", va="center", **look)
    across, up = [words(str(name)) for name in trace.x], labels(trace)
    panel.set_xticks(np.arange(len(across)) + 0.5, across)
    panel.set_yticks(np.arange(len(up)) + 0.5, up)
    panel.grid(visible=False)
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)


def _ink(color: str) -> str:
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return "white" if 0.3 * red + 0.59 * green + 0.11 * blue < DARK else "black"

"""Parallel coordinates: one line per design through all its knobs and objectives."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboards.figures.frame import BELOW, frame, note
from dashboards.knob import Floats, Ints, Knob, ranked
from dashboards.palette import CLEAR, LIGHT
from dashboards.points import Group, axis_title, groups, logarithmic, plain, some_of
from dashboards.sight import Sight, look
from dse.export import knob_order
from dse.listing import figure_text
from dse.view import View

#: A knob with at most this many values gets a mark at each of them, evenly spaced.
FEW = 10
#: More lines of a kind hide one another.
LINES = 1000


def parallel_coordinates(seen: View | Sight) -> go.Figure:
    """Knobs that differ, then objectives, of all feasible designs; the front stands out. Ranges can be chosen on every axis.

    Where nothing is feasible, of the designs over a limit.

    A layer's knob shows the knob's value for all layers where a design does not set it.
    """
    sight = look(seen)
    drawn = _drawn(sight)
    figure = frame("All knobs and objectives", sight).update_layout(height=480, margin={"l": 72, "r": 60, "t": 130, "b": 70})
    if not drawn:
        return note(figure, "no design has all objectives yet")
    dimensions = _dimensions(drawn)
    return figure.add_trace(
        go.Parcoords(
            dimensions=dimensions,
            line=_hues(drawn),
            uirevision=", ".join(dimension["label"] for dimension in dimensions),  # ranges are kept by an axis' place
            labelangle=-18,
            labelside="top",
            labelfont={"color": LIGHT["ink"], "size": 12},
            tickfont={"color": LIGHT["quiet"], "size": 11},
            rangefont={"color": CLEAR},
            unselected={"line": {"color": LIGHT["grid"], "opacity": 0.35}},
        )
    )


def _hues(drawn: list[Group]) -> dict[str, Any]:
    """A colour for each group's lines, and what it means."""
    edges = [[edge / len(drawn), group.color] for n, group in enumerate(drawn) for edge in (n, n + 1)]
    return {
        "color": [n for n, group in enumerate(drawn) for _ in range(len(group))],
        "cmin": -0.5,
        "cmax": len(drawn) - 0.5,
        "colorscale": edges,
        "showscale": True,
        "colorbar": {
            "tickvals": list(range(len(drawn))),
            "ticktext": [group.label for group in drawn],
            # below: beside the axes it would take a fifth of the width from them
            "orientation": "h",
            "y": -0.06,
            "yanchor": "top",
            "x": 0,
            "xanchor": "left",
            "thickness": 12,
            "len": min(0.34 * len(drawn), 1),
            "outlinewidth": 0,
        },
    }


def parallel_lines(seen: View | Sight) -> go.Figure:
    """The same without WebGL and without choosing ranges: for browsers that have none, and for paper."""
    sight = look(seen)
    drawn = _drawn(sight)
    figure = frame("All knobs and objectives", sight).update_layout(height=480, legend=BELOW)
    if not drawn:
        return note(figure, "no design has all objectives yet")
    dimensions = _dimensions(drawn)
    places = list(range(len(dimensions)))
    heights = np.column_stack([_height(dimension) for dimension in dimensions])
    first = 0
    for group in drawn:
        count, front = len(group), group.on_front
        # one trace for all: a gap after each design ends its line
        rows = np.column_stack([heights[first : first + count], np.full(count, np.nan)])
        first += count
        figure.add_trace(
            go.Scatter(
                x=[*places, None] * count,
                y=[None if np.isnan(height) else round(height, 4) for height in rows.ravel().tolist()],
                mode="lines",
                name=group.label,
                line={"color": group.color, "width": 2 if front else 1},
                opacity=0.9 if front else 0.35,
                customdata=np.repeat(group.trials, len(places) + 1).tolist(),
                hovertext=[text for text in group.hovers for _ in range(len(places) + 1)],
                hoverinfo="text",
            )
        )
    for place, dimension in zip(places, dimensions, strict=True):
        figure.add_vline(place, line={"color": LIGHT["axis"], "width": 1})
        for height, text in _marks(dimension):
            font = {"size": 11, "color": LIGHT["quiet"]}
            where = {"x": place, "y": height, "xanchor": "left", "xshift": 4}
            figure.add_annotation(text=text, **where, showarrow=False, font=font, bgcolor=LIGHT["surface"], borderpad=0)
    labels = [dimension["label"] for dimension in dimensions]
    figure.update_xaxes(
        tickvals=places, ticktext=labels, side="top", tickangle=-18, showgrid=False, range=[-0.2, len(places) - 0.5]
    )
    return figure.update_yaxes(visible=False, range=[-0.04, 1.04])


def _drawn(sight: Sight) -> list[Group]:
    drawn = groups(sight, [objective.metric for objective in sight.goals.objectives])
    return [some_of(group, LINES) for group in drawn if group.feasible] or [some_of(group, LINES) for group in drawn]


def _height(dimension: dict[str, Any]) -> Floats:
    """A dimension's values between 0 and 1."""
    values = np.asarray(dimension["values"], dtype=np.float64)
    span = values.max() - values.min()
    return (values - values.min()) / span if span > 0 else np.full_like(values, 0.5)


def _marks(dimension: dict[str, Any]) -> list[tuple[float, str]]:
    """Where on a dimension to write which text: at its named values, else at both ends."""
    values = np.asarray(dimension["values"], dtype=np.float64)
    low, high = values.min(), values.max()
    if "tickvals" not in dimension:
        return [(0.0, _number(low)), (1.0, _number(high))] if high > low else [(0.5, _number(low))]
    span = high - low
    marks = zip(dimension["tickvals"], dimension["ticktext"], strict=True)
    return [((at - low) / span if span > 0 else 0.5, text) for at, text in marks]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _dimensions(drawn: list[Group]) -> list[dict[str, Any]]:
    """Knobs that differ, then objectives, each with one value per design of the groups in order."""
    sight = drawn[0].sight
    rows = np.concatenate([group.rows for group in drawn])
    knobs = [_knob_axis(name, sight, rows) for name in sorted(sight.columns.knobs, key=knob_order)]
    axes = [_figure_axis(sight, o.metric, sight.columns.figure(o.metric)[rows]) for o in sight.goals.objectives]
    return [*(dimension for dimension in knobs if dimension is not None), *axes]


def _knob_axis(name: str, sight: Sight, rows: Ints) -> dict[str, Any] | None:
    """The axis of a knob, or None where it never differs among these rows."""
    every = sight.columns.setting(name)
    codes, values = ranked(Knob(every.codes[rows], every.values))
    unset = bool((codes < 0).any())
    if len(values) + unset < 2:
        return None
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values) and not unset
    if numbers and len(values) > FEW:
        return {"label": plain(name), "values": np.array(values, dtype=np.float64)[codes]}
    texts = [plain(value) if isinstance(value, (bool, str)) else f"{value:g}" for value in values]
    texts = ["not set", *texts] if unset else texts
    return {
        "label": plain(name),
        "values": codes + unset,
        "tickvals": list(range(len(texts))),
        "ticktext": texts,
        "range": [0, len(texts) - 1],
    }


def _figure_axis(sight: Sight, metric: str, values: Floats) -> dict[str, Any]:
    label = axis_title(sight, metric)
    if values.min() == values.max():  # left to itself the axis would reach from below 0 to above it
        only = float(values[0])
        marks: dict[str, Any] = {"tickvals": [only], "ticktext": [figure_text(sight.goals.metric(metric), only)]}
        return {"label": label, "values": values, **marks, "range": [only - 1, only + 1]}
    if not logarithmic(values):
        return {"label": label, "values": values}
    low, high = np.log10(values.min()), np.log10(values.max())
    steps = [mark * 10.0**decade for decade in range(int(low) - 1, int(high) + 1) for mark in (1, 2, 5)]
    shown = [mark for mark in steps if 10**low <= mark <= 10**high]
    texts = [figure_text(sight.goals.metric(metric), mark) for mark in shown]
    return {"label": label, "values": np.log10(values), "tickvals": list(np.log10(shown)), "ticktext": texts}

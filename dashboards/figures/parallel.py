"""Parallel coordinates: one line per design through all its knobs and objectives."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboards.figures.frame import BELOW, frame, note
from dashboards.palette import CLEAR, LIGHT
from dashboards.points import Floats, Group, axis_title, groups, knob, logarithmic, plain
from dse.design import Scalar
from dse.export import knob_order
from dse.listing import figure_text
from dse.metrics import METRICS
from dse.view import Standing, View

#: A knob with at most this many values gets a mark at each of them, evenly spaced.
FEW = 10


def parallel_coordinates(view: View) -> go.Figure:
    """Knobs that differ, then objectives, of all feasible designs; the front stands out. Ranges can be chosen on every axis.

    Where nothing is feasible, of the designs over a limit.

    A layer's knob shows the knob's value for all layers where a design does not set it.
    """
    drawn = _drawn(view)
    figure = frame("All knobs and objectives", view).update_layout(height=480, margin={"l": 72, "r": 40, "t": 130, "b": 30})
    if not drawn:
        return note(figure, "no design has all objectives yet")
    edges = [[edge / len(drawn), group.color] for n, group in enumerate(drawn) for edge in (n, n + 1)]
    line = {
        "color": [n for n, group in enumerate(drawn) for _ in group.standings],
        "cmin": -0.5,
        "cmax": len(drawn) - 0.5,
        "colorscale": edges,
        "showscale": True,
        "colorbar": {
            "tickvals": list(range(len(drawn))),
            "ticktext": [group.label for group in drawn],
            "thickness": 12,
            "len": 0.6,
            "outlinewidth": 0,
        },
    }
    return figure.add_trace(
        go.Parcoords(
            dimensions=_dimensions(view, drawn),
            line=line,
            labelangle=-18,
            labelside="top",
            labelfont={"color": LIGHT["ink"], "size": 12},
            tickfont={"color": LIGHT["quiet"], "size": 11},
            rangefont={"color": CLEAR},
            unselected={"line": {"color": LIGHT["grid"], "opacity": 0.35}},
        )
    )


def parallel_lines(view: View) -> go.Figure:
    """The same without WebGL and without choosing ranges: for browsers that have none, and for paper."""
    drawn = _drawn(view)
    figure = frame("All knobs and objectives", view).update_layout(height=480, legend=BELOW)
    if not drawn:
        return note(figure, "no design has all objectives yet")
    dimensions = _dimensions(view, drawn)
    places = list(range(len(dimensions)))
    heights = np.column_stack([_height(dimension) for dimension in dimensions])
    first = 0
    for group in drawn:
        count, front = len(group.standings), group.on_front
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
            figure.add_annotation(x=place, y=height, text=text, showarrow=False, xanchor="left", xshift=4, font=font)
    labels = [dimension["label"] for dimension in dimensions]
    figure.update_xaxes(
        tickvals=places, ticktext=labels, side="top", tickangle=-18, showgrid=False, range=[-0.2, len(places) - 0.5]
    )
    return figure.update_yaxes(visible=False, range=[-0.04, 1.04])


def _drawn(view: View) -> list[Group]:
    drawn = groups(view, [objective.metric for objective in view.goals.objectives])
    return [group for group in drawn if group.standings[0].feasible] or drawn


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
        return [(0.0, f"{low:.4g}"), (1.0, f"{high:.4g}")] if high > low else [(0.5, f"{low:.4g}")]
    span = high - low
    marks = zip(dimension["tickvals"], dimension["ticktext"], strict=True)
    return [((at - low) / span if span > 0 else 0.5, text) for at, text in marks]


def _dimensions(view: View, drawn: list[Group]) -> list[dict[str, Any]]:
    """Knobs that differ, then objectives, each with one value per design of the groups in order."""
    standings = [standing for group in drawn for standing in group.standings]
    names = sorted({name for standing in standings for name in standing.record.design.knobs}, key=knob_order)
    knobs = [_knob_axis(name, standings) for name in names]
    objectives = [objective.metric for objective in view.goals.objectives]
    figures = [np.concatenate([group.figures(name) for group in drawn]) for name in objectives]
    axes = [_figure_axis(view, name, values) for name, values in zip(objectives, figures, strict=True)]
    return [*(dimension for dimension in knobs if dimension is not None), *axes]


def _knob_axis(name: str, standings: list[Standing]) -> dict[str, Any] | None:
    """The axis of a knob, or None where it never differs."""
    cells = [knob(standing.record, name) for standing in standings]
    distinct = sorted(set(cells), key=_order)
    if len(distinct) < 2:
        return None
    numbers = all(isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in distinct)
    if numbers and len(distinct) > FEW:
        return {"label": plain(name), "values": np.array(cells, dtype=np.float64)}
    at = {cell: place for place, cell in enumerate(distinct)}
    texts = ["not set" if cell is None else f"{cell:g}" if numbers else plain(cell) for cell in distinct]
    return {
        "label": plain(name),
        "values": [at[cell] for cell in cells],
        "tickvals": list(at.values()),
        "ticktext": texts,
        "range": [0, len(distinct) - 1],
    }


def _order(cell: Scalar | None) -> tuple[str, float, str]:
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return ("number", float(cell), "")
    return (type(cell).__name__, 0.0, str(cell))


def _figure_axis(view: View, metric: str, values: Floats) -> dict[str, Any]:
    label = axis_title(view, metric)
    if not logarithmic(values):
        return {"label": label, "values": values}
    low, high = np.log10(values.min()), np.log10(values.max())
    marks = [mark * 10.0**decade for decade in range(int(low) - 1, int(high) + 1) for mark in (1, 2, 5)]
    shown = [mark for mark in marks if 10**low <= mark <= 10**high]
    texts = [figure_text(METRICS[metric], mark) for mark in shown]
    return {"label": label, "values": np.log10(values), "tickvals": list(np.log10(shown)), "ticktext": texts}

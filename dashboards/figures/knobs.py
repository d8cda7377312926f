"""What the knobs do: how much each matters for each objective, and an objective along each of them."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboards.figures.frame import frame, note
from dashboards.importance import LEAST, Importance
from dashboards.knob import Knob, ranked
from dashboards.palette import LIGHT
from dashboards.points import Group, axis_title, groups, logarithmic, plain, some_of
from dashboards.sight import Sight
from dse.export import knob_order

#: Panels beside one another, and in all; designs of a kind that one panel shows.
ACROSS, PANELS, SHOWN = 4, 16, 500
#: A logarithmic axis with at most so many values has a mark at each.
MARKS = 8


def importance_map(sight: Sight, found: Importance | None) -> go.Figure:
    """A row per knob, a column per objective: the share of the ranks' variance that is the knob's doing."""
    figure = frame("What matters for what", sight)
    if found is None:
        return note(figure, f"fewer than {LEAST} measured designs, or no knob that differs")
    order = np.argsort(found.shares.max(axis=1))
    heads = [
        f"{name}<br><sub>{explained:.0%} explained</sub>"
        for name, explained in zip(found.metrics, found.explained, strict=True)
    ]
    figure.add_trace(
        go.Heatmap(
            z=found.shares[order],
            x=heads,
            y=[plain(found.knobs[place]) for place in order],
            texttemplate="%{z:.0%}",
            textfont={"color": LIGHT["ink"]},
            colorscale=[[0, LIGHT["surface"]], [1, LIGHT["cell"]]],
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="%{y}: %{z:.1%} of the variance of ranks<extra></extra>",
        )
    )
    figure.update_xaxes(side="top", showgrid=False, showline=False, ticks="")
    figure.update_yaxes(showgrid=False, showline=False, ticks="")
    return figure.update_layout(height=170 + 26 * len(found.knobs), margin={"t": 120})


def slices(sight: Sight, metric: str) -> go.Figure:
    """A figure along every knob that differs: the front, what it dominates and what is over a limit."""
    drawn = groups(sight, (metric,))
    names = [name for name in sorted(sight.columns.knobs, key=knob_order) if _distinct(name, drawn) > 1][:PANELS]
    across = min(ACROSS, max(len(names), 1))
    down = max(-(-len(names) // across), 1)
    gaps = {"horizontal_spacing": 0.06 / across, "vertical_spacing": 0.34 / down if down > 1 else 0}
    figure = make_subplots(rows=down, cols=across, shared_yaxes=True, **gaps)
    some = f", {SHOWN} designs of a kind" if any(len(group) > SHOWN for group in drawn) else ""
    frame(f"{metric} along each knob{some}", sight, figure, height=110 + 210 * down, showlegend=False)
    if not drawn or not names:
        return note(figure, "no design has this figure yet, or no knob differs")
    values = np.concatenate([group.figures(metric) for group in drawn if group.feasible] or [g.figures(metric) for g in drawn])
    log = logarithmic(values)
    for place, name in enumerate(names):
        where = {"row": place // across + 1, "col": place % across + 1}
        for group in drawn:
            figure.add_trace(_strip(group, name, metric), **where)
        _axis(figure, sight, name, where)
    for down_ in range(1, down + 1):
        figure.update_yaxes(title_text=axis_title(sight, metric), row=down_, col=1)
    return figure.update_yaxes(type="log" if log else "linear", nticks=6)


def _distinct(name: str, drawn: list[Group]) -> int:
    codes = [group.knob(name).codes for group in drawn]
    return len(np.unique(np.concatenate(codes))) if codes else 0


def _strip(group: Group, name: str, metric: str) -> go.Scatter:
    part = some_of(group, SHOWN)
    numbers = part.knob(name).numbers
    if numbers is None:
        codes, _ = ranked(Knob(group.sight.columns.setting(name).codes, group.sight.columns.setting(name).values))
        numbers = codes[part.rows].astype(np.float64)
    thin = "thin" in group.symbol
    edge = {"width": 1.2 if thin else 0.5, "color": group.color if thin else LIGHT["surface"]}
    look = {"color": group.color, "symbol": group.symbol, "size": group.size * 0.7, "opacity": group.opacity, "line": edge}
    return go.Scatter(
        x=numbers,
        y=part.figures(metric),
        mode="markers",
        marker=look,
        customdata=part.trials,
        hoverinfo="none",
        name=group.name,
    )


def _axis(figure: go.Figure, sight: Sight, name: str, where: dict[str, int]) -> None:
    knob = sight.columns.setting(name)
    figure.update_xaxes(title_text=plain(name), **where)
    if knob.numbers is None:
        _, values = ranked(knob)
        figure.update_xaxes(
            tickvals=list(range(len(values))),
            ticktext=[plain(value) for value in values],
            range=[-0.5, len(values) - 0.5],
            **where,
        )
        return
    known = np.unique(knob.numbers[~np.isnan(knob.numbers)])
    if logarithmic(known):
        # such as reuse factors: a mark at each, where there is room; between decades plotly would write a bare 2 or 5
        marks = {"tickvals": known.tolist()} if len(known) <= MARKS else {"tickformat": "~s"}
        figure.update_xaxes(type="log", **marks, **where)

"""The front: two or three figures against each other, and all objectives in pairs."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboards.figures import marks
from dashboards.figures.frame import BELOW, frame, note, titled
from dashboards.figures.marks import Picture, hovering
from dashboards.figures.space import in_space
from dashboards.palette import LIGHT
from dashboards.points import Axis, Group, axis_title, direction, groups, plain, seen_label, stated, steps
from dashboards.sight import Sight, look
from dse.view import View

#: Above this many points a browser draws them with WebGL.
MANY = 4000
#: More error bars than these hide what they belong to.
BARS = 100
#: Points less opaque than this have an entry in the legend that is as opaque as KEY.
FAINT, KEY = 0.5, 0.9


def front_scatter(seen: View | Sight, x: str, y: str, *, log_x: bool | None = None, log_y: bool | None = None) -> go.Figure:
    """`y` against `x`: the front, what it dominates and what is over a limit, with the feasible front of these two as a line.

    Axes span the feasible designs; they are logarithmic where figures are far apart, or as `log_x` and `log_y` say.
    Intervals become error bars, limits in view dashed lines.
    """
    return draw(look(seen), Picture(x, y, log_x=log_x, log_y=log_y))


def draw(sight: Sight, what: Picture) -> go.Figure:
    """The front as `what` says."""
    return in_space(sight, what) if what.z else go.Figure(sketch(sight, what))


def sketch(sight: Sight, what: Picture) -> dict[str, Any]:
    """`draw`'s figure of two axes as plain traces and layout: plotly takes longer to look through them than all else takes."""
    x, y = what.x, what.y
    drawn = groups(sight, (x, y))
    across, up = Axis.over(drawn, x, log=what.log_x), Axis.over(drawn, y, log=what.log_y)
    if not drawn:
        empty: dict[str, Any] = note(frame(f"{y} against {x}", sight), "no design has both figures yet").to_plotly_json()
        return empty
    first = next((group for group in drawn if group.on_front), None)
    traces: list[dict[str, Any]] = []
    for group in drawn:
        if group is first:
            traces += _front_line(sight, {x: across, y: up})
        words = seen_label(group, {x: across, y: up})
        traces += _with_key(_scatter(group, what, words, errors=group.on_front and len(group) <= BARS))
    traces += _marked(sight, what, drawn)
    traces += marks.legend(sight, what.color, what.symbol)
    scale = {"coloraxis": marks.color_axis(what.color)} if what.color and not marks.by_hue(sight, what.color) else {}
    xaxis, yaxis = ({"title": {"text": axis_title(sight, name)}, **axis.layout()} for name, axis in ((x, across), (y, up)))
    lines = _limit_lines(sight, {x: across, y: up}, vertical=x)
    layout = titled(f"{y} against {x}", sight, height=560, legend=BELOW, xaxis=xaxis, yaxis=yaxis, **scale, **lines)
    return {"data": traces, "layout": layout}


def _with_key(trace: dict[str, Any]) -> list[dict[str, Any]]:
    """Points, and where they are too faint for it an entry that can be seen in the legend."""
    marker = trace["marker"]
    if marker["opacity"] >= FAINT:
        return [trace]
    one = {name: look_[:1] if isinstance(look_, (list, np.ndarray)) else look_ for name, look_ in marker.items()}
    nowhere = np.array([np.nan])
    shared = {name: trace[name] for name in ("name", "mode", "legendgroup")}
    key = {"type": "scatter", "x": nowhere, "y": nowhere, "marker": one | {"opacity": KEY}, "hoverinfo": "skip", **shared}
    return [trace | {"showlegend": False}, key]


def _marked(sight: Sight, what: Picture, drawn: list[Group]) -> list[dict[str, Any]]:
    """The knee, and rings around the trials that are chosen."""
    found = []
    if sight.knee is not None and any(sight.knee in group.rows for group in drawn):
        found.append(_one(sight, sight.knee, what, LIGHT["knee"], "diamond") | {"name": _knee(sight)})
    for trial, name in what.marked:
        row = sight.columns.row(trial)
        if row is not None and stated(sight, (what.x, what.y))[row]:
            ring = _one(sight, row, what, LIGHT["ink"], "circle-open")
            look_ = ring["marker"] | {"size": 18, "line": {"width": 2, "color": LIGHT["ink"]}}
            found.append(ring | {"name": f"{name}: trial {trial}", "marker": look_})
    return found


def _knee(sight: Sight) -> str:
    return f"knee: trial {sight.columns.trials[sight.knee]}"


def _one(sight: Sight, row: int, what: Picture, color: str, symbol: str) -> dict[str, Any]:
    """A single design that stands out."""
    plain_look = Picture(what.x, what.y, hovers=what.hovers)
    return _scatter(Group(sight, "", np.array([row]), color, symbol, 13, 1.0), plain_look, "", many=False)


def _limit_lines(sight: Sight, axes: dict[str, Axis], vertical: str) -> dict[str, Any]:
    """The layout's dashed lines where the limits are, and their words at the end of each."""
    shapes, words = [], []
    for limit in sight.goals.limits:
        bound = limit.bound(sight.goals.resources)
        if limit.metric not in axes or not axes[limit.metric].low <= bound <= axes[limit.metric].high:
            continue
        along, across = ("x", "y") if limit.metric == vertical else ("y", "x")
        line = {"color": LIGHT["infeasible"], "width": 1.2, "dash": "dash"}
        ends = {f"{along}0": bound, f"{along}1": bound, f"{across}0": 0, f"{across}1": 1}
        shapes.append({"type": "line", **ends, f"{along}ref": along, f"{across}ref": f"{across} domain", "line": line})
        place = float(np.log10(bound)) if axes[limit.metric].log else bound  # unlike shapes, texts stand in decades
        looks = {"showarrow": False, "font": {"color": LIGHT["infeasible"], "size": 11}, "xanchor": "right"}
        looks |= {"textangle": -90, "yanchor": "top"} if along == "x" else {"yanchor": "bottom"}
        words.append(
            {"text": plain(limit), along: place, across: 1, f"{along}ref": along, f"{across}ref": f"{across} domain", **looks}
        )
    return {"shapes": shapes, "annotations": words}


def scatter_matrix(seen: View | Sight) -> go.Figure:
    """Every objective against every other: the lower triangle, one row per objective but the first."""
    sight = look(seen)
    names = [objective.metric for objective in sight.goals.objectives]
    size = max(len(names) - 1, 1)
    shared = {"shared_xaxes": True, "shared_yaxes": True}
    figure = make_subplots(rows=size, cols=size, **shared, horizontal_spacing=0.1 / size, vertical_spacing=0.08 / size)
    frame("All objectives in pairs", sight, figure, height=max(200 * size + 150, 420))
    drawn = groups(sight, names)
    if not drawn:
        return note(figure, "no design has all objectives yet")
    axes = [Axis.over(drawn, name).layout(ticks=5) for name in names]
    for x, y in combinations(range(len(names)), 2):
        where = {"row": y, "col": x + 1}
        for group in drawn:
            trace = _scatter(group, Picture(names[x], names[y]), group.label) | {"showlegend": (x, y) == (0, 1)}
            figure.add_trace(trace, **where)
        bottom, left = y == size, x == 0
        figure.update_xaxes(**axes[x], **where, title_text=axis_title(sight, names[x]) if bottom else None, tickangle=0)
        figure.update_yaxes(**axes[y], **where, title_text=axis_title(sight, names[y]) if left else None)
    for row, column in combinations(range(1, size + 1), 2):
        figure.update_xaxes(visible=False, row=row, col=column).update_yaxes(visible=False, row=row, col=column)
    text = "axes span the feasible designs;<br>a double click shows all" if sight.feasible.any() else ""
    font = {"color": LIGHT["quiet"], "size": 11}
    figure.add_annotation(
        text=text, x=1, y=0.8, xref="paper", yref="paper", xanchor="right", align="right", showarrow=False, font=font
    )
    return figure.update_layout(legend={"x": 1, "y": 1, "xanchor": "right", "yanchor": "top", "traceorder": "reversed"})


def _scatter(group: Group, what: Picture, name: str, *, errors: bool = False, many: bool | None = None) -> dict[str, Any]:
    webgl = len(group.sight.columns) > MANY if many is None else many
    bars = {f"error_{axis}": _errors(group, one) for axis, one in zip("xy", (what.x, what.y), strict=True)} if errors else {}
    return {
        "type": "scattergl" if webgl else "scatter",
        # shapes are there sooner than WebGL is: a page may begin with the front drawn in them
        **({"meta": "first"} if webgl and group.on_front and len(group) <= MANY else {}),
        "x": group.figures(what.x),
        "y": group.figures(what.y),
        "mode": "markers",
        "name": name,
        "legendgroup": group.name,
        "marker": marks.marker(group, what.color, what.symbol),
        **hovering(group, what),
        **{bar: found for bar, found in bars.items() if found is not None},
    }


def _errors(group: Group, metric: str) -> dict[str, Any] | None:
    found = group.bounds(metric)
    if found is None:
        return None
    return {"type": "data", "array": found[0], "arrayminus": found[1], "thickness": 1, "width": 3, "color": LIGHT["axis"]}


def _front_line(sight: Sight, axes: dict[str, Axis]) -> list[dict[str, Any]]:
    """The edge of what is feasible in these two figures, in steps, on both sides as far as the axes go.

    Between two designs of the front there is nothing as good as both, hence steps and no slopes.
    """
    x, y = axes
    front_x, front_y = steps(sight, x, y)
    if len(front_x) == 0:
        return []
    worst_y = axes[y].low if direction(sight, y) == "max" else axes[y].high
    # With x as a budget, the next better y is had only from the next x on; else up to it.
    if direction(sight, x) == "min":
        line_x, line_y, shape = [front_x[0], *front_x, axes[x].high], [worst_y, *front_y, front_y[-1]], "hv"
    else:
        line_x, line_y, shape = [axes[x].low, *front_x, front_x[-1]], [front_y[0], *front_y, worst_y], "vh"
    line = {"color": LIGHT["front"], "width": 1.6, "shape": shape}
    name = "feasible front of these two"
    shared = {"type": "scatter", "mode": "lines", "name": name, "line": line, "opacity": 0.7, "hoverinfo": "skip"}
    return [{"x": np.array(line_x), "y": np.array(line_y), **shared}]

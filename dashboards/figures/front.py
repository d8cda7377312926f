"""The front: two figures against each other, and all objectives in pairs."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboards.figures.frame import BELOW, frame, note
from dashboards.palette import LIGHT
from dashboards.points import Axis, Group, axis_title, direction, groups, plain, steps
from dse.view import View

#: Above this many points a browser draws them with WebGL.
MANY = 4000


def front_scatter(view: View, x: str, y: str, *, log_x: bool | None = None, log_y: bool | None = None) -> go.Figure:
    """`y` against `x`: the front, what it dominates and what is over a limit, with the feasible front of these two as a line.

    Axes span the feasible designs; they are logarithmic where figures are far apart, or as `log_x` and `log_y` say.
    Intervals become error bars, limits in view dashed lines.
    """
    drawn = groups(view, (x, y))
    across, up = Axis.over(drawn, x, log=log_x), Axis.over(drawn, y, log=log_y)
    figure = frame(f"{y} against {x}", view).update_layout(height=560, legend=BELOW)
    if not drawn:
        return note(figure, "no design has both figures yet")
    first = next((group for group in drawn if group.on_front), None)
    for group in drawn:
        if group is first:
            figure.add_traces(_front_line(view, {x: across, y: up}))
        trace = _scatter(group, (x, y), errors=group.on_front)
        hidden = int((~(across.holds(group.figures(x)) & up.holds(group.figures(y)))).sum())
        figure.add_trace(
            trace.update(name=f"{group.name} ({len(group.standings)}, {hidden} out of view)" if hidden else group.label)
        )
    if view.knee is not None and any(view.knee in group.standings for group in drawn):
        knee = Group(view, "knee", (view.knee,), LIGHT["knee"], "diamond", 13, 1.0)
        figure.add_trace(_scatter(knee, (x, y)).update(name=f"knee: trial {view.knee.record.trial}"))
    _limit_lines(figure, view, {x: across, y: up}, vertical=x)
    figure.update_xaxes(title_text=axis_title(view, x), **across.layout())
    return figure.update_yaxes(title_text=axis_title(view, y), **up.layout())


def _limit_lines(figure: go.Figure, view: View, axes: dict[str, Axis], vertical: str) -> None:
    for limit in view.goals.limits:
        bound = limit.bound(view.goals.resources)
        if limit.metric not in axes or not axes[limit.metric].low <= bound <= axes[limit.metric].high:
            continue
        line = {"color": LIGHT["infeasible"], "width": 1.2, "dash": "dash"}
        words = {"text": plain(limit), "font": {"color": LIGHT["infeasible"], "size": 11}}
        if limit.metric == vertical:
            figure.add_vline(bound, line=line, annotation={**words, "textangle": -90}, annotation_position="top left")
        else:
            figure.add_hline(bound, line=line, annotation=words, annotation_position="top right")


def scatter_matrix(view: View) -> go.Figure:
    """Every objective against every other: the lower triangle, one row per objective but the first."""
    names = [objective.metric for objective in view.goals.objectives]
    size = max(len(names) - 1, 1)
    shared = {"shared_xaxes": True, "shared_yaxes": True}
    figure = make_subplots(rows=size, cols=size, **shared, horizontal_spacing=0.1 / size, vertical_spacing=0.08 / size)
    frame("All objectives in pairs", view, figure).update_layout(height=max(200 * size + 150, 420))
    drawn = groups(view, names)
    if not drawn:
        return note(figure, "no design has all objectives yet")
    axes = [Axis.over(drawn, name).layout(ticks=5) for name in names]
    for x, y in combinations(range(len(names)), 2):
        where = {"row": y, "col": x + 1}
        for group in drawn:
            figure.add_trace(_scatter(group, (names[x], names[y]), legend=(x, y) == (0, 1)), **where)
        bottom, left = y == size, x == 0
        figure.update_xaxes(**axes[x], **where, title_text=axis_title(view, names[x]) if bottom else None, tickangle=0)
        figure.update_yaxes(**axes[y], **where, title_text=axis_title(view, names[y]) if left else None)
    for row, column in combinations(range(1, size + 1), 2):
        figure.update_xaxes(visible=False, row=row, col=column).update_yaxes(visible=False, row=row, col=column)
    text = "axes span the feasible designs;<br>a double click shows all" if view.feasible else ""
    font = {"color": LIGHT["quiet"], "size": 11}
    figure.add_annotation(
        text=text, x=1, y=0.8, xref="paper", yref="paper", xanchor="right", align="right", showarrow=False, font=font
    )
    return figure.update_layout(legend={"x": 1, "y": 1, "xanchor": "right", "yanchor": "top", "traceorder": "reversed"})


def _scatter(group: Group, axes: tuple[str, str], *, errors: bool = False, legend: bool = True) -> go.Scatter:
    many = len(group.view.standings) > MANY
    thin = "thin" in group.symbol
    edge = {"width": 1.6 if thin else 0.8, "color": group.color if thin else LIGHT["surface"]}
    size = group.size * 0.7 if many else group.size
    marker = {"color": group.color, "symbol": group.symbol, "size": size, "opacity": group.opacity, "line": edge}
    bars = {f"error_{axis}": _errors(group, name) for axis, name in zip("xy", axes, strict=True)} if errors else {}
    return (go.Scattergl if many else go.Scatter)(
        x=group.figures(axes[0]),
        y=group.figures(axes[1]),
        mode="markers",
        name=group.label,
        legendgroup=group.name,
        showlegend=legend,
        marker=marker,
        customdata=group.trials,
        hovertext=group.hovers,
        hoverinfo="text",
        **bars,
    )


def _errors(group: Group, metric: str) -> dict[str, Any] | None:
    found = group.bounds(metric)
    if found is None:
        return None
    return {"type": "data", "array": found[0], "arrayminus": found[1], "thickness": 1, "width": 3, "color": LIGHT["axis"]}


def _front_line(view: View, axes: dict[str, Axis]) -> list[go.Scatter]:
    """The edge of what is feasible in these two figures, in steps, on both sides as far as the axes go.

    Between two designs of the front there is nothing as good as both, hence steps and no slopes.
    """
    x, y = axes
    front_x, front_y = steps(view, x, y)
    if len(front_x) == 0:
        return []
    worst_y = axes[y].low if direction(view, y) == "max" else axes[y].high
    # With x as a budget, the next better y is had only from the next x on; else up to it.
    if direction(view, x) == "min":
        line_x, line_y, shape = [front_x[0], *front_x, axes[x].high], [worst_y, *front_y, front_y[-1]], "hv"
    else:
        line_x, line_y, shape = [axes[x].low, *front_x, front_x[-1]], [front_y[0], *front_y, worst_y], "vh"
    line = {"color": LIGHT["front"], "width": 1.6, "shape": shape}
    name = "feasible front of these two"
    return [go.Scatter(x=line_x, y=line_y, mode="lines", name=name, line=line, opacity=0.7, hoverinfo="skip")]

"""How the search went: what it has found over time, what failed and where the time went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dashboards.figures.frame import BELOW, frame, note
from dashboards.palette import LIGHT, SERIES
from dashboards.points import axis_title, groups, plain
from dse import pareto
from dse.errors import FAILURE_KINDS, PASSING
from dse.listing import UNITS, duration_text
from dse.summary import StageTime, stage_times
from dse.view import View, minimised

#: The reference point lies this share of the range beyond the worst feasible figure, so that the front's ends count.
BEYOND = 0.1


def hypervolume_curves(views: Sequence[View]) -> go.Figure:
    """The share of the space between the best and the worst feasible figures that the front dominates, trial by trial.

    The space is one for all views, which must have the same objectives; infeasible and failed trials add nothing.
    """
    figure = frame("Hypervolume over trials", views[0]).update_layout(height=380, showlegend=len(views) > 1)
    points = np.concatenate([minimised(view.goals, view.feasible) for view in views])
    if len(points) == 0:
        return note(figure, "no feasible design yet")
    low, high = points.min(axis=0), points.max(axis=0)
    # An objective that never changes must not make the space flat.
    span = np.where(high > low, high - low, 1.0)
    corner = 1.0 + BEYOND
    for view, color in zip(views, SERIES * len(views), strict=False):
        found = np.full((len(view.standings), len(span)), corner)
        rows = [row for row, standing in enumerate(view.standings) if standing.feasible]
        found[rows] = (minimised(view.goals, view.feasible) - low) / span
        share = pareto.hypervolume_curve(found, [corner] * len(span)) / corner ** len(span)
        figure.add_trace(
            go.Scatter(
                x=np.arange(1, len(share) + 1),
                y=share,
                name=plain(view.name),
                mode="lines",
                line={"shape": "hv", "width": 2, "color": color},
                hovertemplate="after %{x} trials: %{y:.3f}<extra></extra>",
            )
        )
    figure.update_xaxes(title_text="finished trials", rangemode="tozero")
    return figure.update_yaxes(title_text="dominated share of the space ↑", rangemode="tozero")


def progress(view: View) -> go.Figure:
    """A single objective over trials, with the best feasible design so far as a line."""
    objective = view.goals.objectives[0]
    figure = frame(f"{objective.metric} over trials", view).update_layout(height=420)
    drawn = groups(view, (objective.metric,))
    if not drawn:
        return note(figure, "no design has been measured yet")
    for group in drawn:
        figure.add_trace(
            go.Scatter(
                x=group.trials,
                y=group.figures(objective.metric),
                mode="markers",
                name=f"{'best' if group.on_front else group.name} ({len(group.standings)})",
                marker={
                    "color": group.color,
                    "symbol": group.symbol,
                    "size": group.size,
                    "line": {"width": 1.6, "color": group.color},
                },
                customdata=group.trials,
                hovertext=group.hovers,
                hoverinfo="text",
            )
        )
    feasible = sorted(view.feasible, key=lambda standing: standing.record.trial)
    best = objective.sign * np.minimum.accumulate(minimised(view.goals, tuple(feasible))[:, 0])
    trials = [standing.record.trial for standing in feasible]
    line = {"color": LIGHT["front"], "width": 1.6, "shape": "hv"}
    figure.add_trace(go.Scatter(x=trials, y=best, mode="lines", name="best so far", line=line, hoverinfo="skip"))
    figure.update_xaxes(title_text="trial")
    figure.update_layout(legend=BELOW)
    return figure.update_yaxes(title_text=axis_title(view, objective.metric))


def failure_bars(view: View) -> go.Figure:
    """How many trials failed of what kind, the design's faults apart from the machine's."""
    failures = [s.record.failure for s in view.standings if s.record.failure is not None]
    counts = Counter(failure.kind for failure in failures)
    kinds = [kind for kind in reversed(FAILURE_KINDS) if counts[kind]]
    figure = frame("Failures by kind", view).update_layout(height=170 + 34 * max(len(kinds), 2), barmode="stack", bargap=0.3)
    if not kinds:
        return note(figure, "no trial failed")
    for name, color, passing in (("the design", LIGHT["infeasible"], False), ("the machine", LIGHT["knee"], True)):
        shown = [kind for kind in kinds if (kind in PASSING) == passing]
        stages = {kind: Counter(f.stage for f in failures if f.kind == kind) for kind in shown}
        texts = [", ".join(f"{plain(stage)} {count}" for stage, count in stages[kind].items()) for kind in shown]
        figure.add_trace(
            go.Bar(
                y=shown,
                x=[counts[kind] for kind in shown],
                orientation="h",
                name=name,
                marker={"color": color},
                text=[f"{counts[kind]} ({text})" for kind, text in zip(shown, texts, strict=True)],
                textposition="outside",
                cliponaxis=False,
                hoverinfo="skip",
            )
        )
    figure.update_xaxes(
        title_text="trials", dtick=max(1, round(max(counts.values()) / 8)), range=[0, max(counts.values()) * 1.25]
    )
    figure.update_yaxes(categoryorder="array", categoryarray=kinds, showgrid=False)
    return figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})


def stage_bars(view: View) -> go.Figure:
    """Where the time went: the total of each stage over all trials, and what one trial that took any needed."""
    times = stage_times(view)
    figure = frame("Time per stage", view).update_layout(height=170 + 34 * max(len(times), 2))
    if not times:
        return note(figure, "no stage has been timed")
    stages = list(reversed(times))
    longest = max(*(times[stage].total for stage in stages), 1e-3)
    scale, unit = next((row for row in UNITS if row[0] <= longest), UNITS[-1])
    figure.add_trace(
        go.Bar(
            y=[plain(stage) for stage in stages],
            x=[times[stage].total / scale for stage in stages],
            orientation="h",
            marker={"color": LIGHT["front"]},
            text=[f"{duration_text(times[stage].total)}, {_typical(times[stage])}" for stage in stages],
            textposition="outside",
            cliponaxis=False,
            hoverinfo="skip",
        )
    )
    figure.update_xaxes(title_text=f"total over all trials [{unit}]", range=[0, longest / scale * 1.5])
    return figure.update_yaxes(showgrid=False)


def _typical(times: StageTime) -> str:
    return "always from the store" if times.typical is None else f"{duration_text(times.typical)} each"

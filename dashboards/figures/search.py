"""How the search went: what it has found over time, what failed and where the time went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dashboards.figures.frame import BELOW, frame, note
from dashboards.figures.marks import marker
from dashboards.knob import Floats
from dashboards.palette import LIGHT, SERIES
from dashboards.points import axis_title, groups, plain
from dashboards.sight import Sight, look, points
from dse import pareto
from dse.errors import FAILURE_KINDS, PASSING
from dse.listing import UNITS, duration_text
from dse.summary import StageTime
from dse.view import View

#: The reference point lies this share of the range beyond the worst feasible figure, so that the front's ends count.
BEYOND = 0.1
#: The share of an axis that a letter behind a bar takes in a card of half of the narrowest page.
LETTER = 0.021
#: Above this many trials a curve is drawn at this many of them, the first and the last included.
CORNERS = 2000


def hypervolume_curves(seen: Sequence[View | Sight], *, over_time: bool = False) -> go.Figure:
    """The share of the space between the best and the worst feasible figures that the front dominates, trial by trial.

    The space is one for all views, which must have the same objectives; infeasible and failed trials add nothing. With
    `over_time` against the time since each run's first record, breaks between its sessions included.
    """
    sights = [look(one) for one in seen]
    second, unit = _unit(sights) if over_time else (1.0, "trials")
    title = "Hypervolume over time" if over_time else "Hypervolume over trials"
    bottom = {"orientation": "h", "x": 0, "y": 0, "yanchor": "bottom", "yref": "container", "traceorder": "reversed"}
    figure = frame(title, sights[0]).update_layout(height=380, showlegend=len(sights) > 1, legend=bottom)
    every = points(sights)
    if len(every) == 0:
        return note(figure, "no feasible design yet")
    if over_time and not any(np.isfinite(sight.columns.finished).any() for sight in sights):
        return note(figure, "no record says when it was finished")
    low, high = every.min(axis=0), every.max(axis=0)
    for sight, color in zip(sights, SERIES * len(sights), strict=False):
        share = dominated_share(sight, low, high)
        across = _since_s(sight) / second if over_time else np.arange(1, len(share) + 1)
        kept = np.unique(np.linspace(0, len(share) - 1, min(len(share), CORNERS)).astype(np.int64))
        figure.add_trace(
            go.Scatter(
                x=across[kept],
                y=share[kept],
                name=plain(sight.name),
                mode="lines",
                line={"shape": "hv", "width": 2, "color": color},
                hovertemplate=f"after %{{x:.4g}} {unit}: %{{y:.3f}}<extra></extra>",
            )
        )
    figure.update_xaxes(
        title_text=f"time since the first record [{unit}]" if over_time else "finished trials", rangemode="tozero"
    )
    return figure.update_yaxes(title_text="dominated share of the space ↑", rangemode="tozero")


def dominated_share(sight: Sight, low: Floats, high: Floats) -> Floats:
    """(n,): the share of the space from `low` to a little beyond `high` that the first 1, 2, ... n trials dominate."""
    # An objective that never changes must not make the space flat.
    span = np.where(high > low, high - low, 1.0)
    corner = 1.0 + BEYOND
    scaled = (sight.costs - low) / span
    rows = np.flatnonzero(sight.feasible)
    # only what is on the front of the trials so far changes the volume
    news = rows[_entering(scaled[rows])]
    found = np.zeros(len(sight.columns))
    if len(news):
        curve = pareto.hypervolume_curve(scaled[news], [corner] * len(span)) / corner ** len(span)
        found[news] = np.diff(curve, prepend=0.0)
    share: Floats = np.cumsum(found)
    return share


def _entering(costs: Floats) -> list[int]:
    """The rows that none of the rows before them is as good as."""
    kept = np.empty_like(costs)
    found: list[int] = []
    count = 0
    for row, cost in enumerate(costs):
        if not (kept[:count] <= cost).all(axis=1).any():
            better = ~(cost <= kept[:count]).all(axis=1)
            left = int(better.sum())
            kept[:left] = kept[:count][better]
            kept[left] = cost
            count = left + 1
            found.append(row)
    return found


def _since_s(sight: Sight) -> Floats:
    """Seconds from the first record to each trial's."""
    finished = sight.columns.finished
    start = np.nanmin(finished) if np.isfinite(finished).any() else 0.0
    since: Floats = np.fmax.accumulate(finished - start)
    return since


def _unit(sights: Sequence[Sight]) -> tuple[float, str]:
    """Seconds and name of the longest unit of which the longest run took two or more."""
    ends = [float(since[-1]) for sight in sights if len(since := _since_s(sight))]
    longest = max((end for end in ends if np.isfinite(end)), default=0.0)
    return next((unit for unit in UNITS if longest >= 2 * unit[0]), UNITS[-1])


def progress(seen: View | Sight) -> go.Figure:
    """A single objective over trials, with the best feasible design so far as a line."""
    sight = look(seen)
    objective = sight.goals.objectives[0]
    figure = frame(f"{objective.metric} over trials", sight).update_layout(height=420)
    drawn = groups(sight, (objective.metric,))
    if not drawn:
        return note(figure, "no design has been measured yet")
    for group in drawn:
        figure.add_trace(
            go.Scatter(
                x=group.trials,
                y=group.figures(objective.metric),
                mode="markers",
                name=f"{'best' if group.on_front else group.name} ({len(group):,})",
                marker=marker(group),
                customdata=group.trials,
                hovertext=group.hovers,
                hoverinfo="text",
            )
        )
    rows = np.flatnonzero(sight.feasible)
    rows = rows[np.argsort(sight.columns.trials[rows])]
    best = objective.sign * np.minimum.accumulate(sight.costs[rows, 0])
    line = {"color": LIGHT["front"], "width": 1.6, "shape": "hv"}
    trials = sight.columns.trials[rows]
    figure.add_trace(go.Scatter(x=trials, y=best, mode="lines", name="best so far", line=line, hoverinfo="skip"))
    figure.update_xaxes(title_text="trial")
    figure.update_layout(legend=BELOW)
    return figure.update_yaxes(title_text=axis_title(sight, objective.metric))


def failure_bars(seen: View | Sight) -> go.Figure:
    """How many trials failed of what kind, the design's faults apart from the machine's."""
    sight = look(seen)
    columns = sight.columns
    codes, hits = np.unique(columns.failure[columns.failure >= 0], return_counts=True)
    stages: dict[str, Counter[str]] = {}
    for code, count in zip(codes, hits, strict=True):
        failure = columns.failures[code]
        stages.setdefault(failure.kind, Counter())[failure.stage] += int(count)
    kinds = [kind for kind in reversed(FAILURE_KINDS) if kind in stages]
    figure = frame("Failures by kind", sight).update_layout(height=170 + 34 * max(len(kinds), 2), barmode="stack", bargap=0.3)
    if not kinds:
        return note(figure, "no trial failed")
    counts = {kind: sum(stages[kind].values()) for kind in kinds}
    for name, color, passing in (("the design", LIGHT["infeasible"], False), ("the machine", LIGHT["knee"], True)):
        shown = [kind for kind in kinds if (kind in PASSING) == passing]
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
    most = max(counts.values())
    bars = {str(text): x for trace in figure.data for text, x in zip(trace.text, trace.x, strict=True)}
    figure.update_xaxes(title_text="trials", range=[0, _room(bars)], **({"dtick": 1} if most < 8 else {"nticks": 8}))
    figure.update_yaxes(categoryorder="array", categoryarray=kinds, showgrid=False)
    return figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})


def stage_times(sight: Sight) -> dict[str, StageTime]:
    """Each stage's times; see `dse.summary.stage_times`."""
    found = {}
    for stage, cells in sight.columns.seconds.items():
        worked = cells[cells > 0]
        typical = float(np.median(worked)) if len(worked) else None
        found[stage] = StageTime(float(np.nansum(cells)), typical, len(worked))
    return found


def stage_bars(seen: View | Sight) -> go.Figure:
    """Where the time went: the total of each stage over all trials, and what one trial that took any needed."""
    sight = look(seen)
    times = stage_times(sight)
    figure = frame("Time per stage", sight).update_layout(height=170 + 34 * max(len(times), 2))
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
    bars = dict(zip(figure.data[0].text, figure.data[0].x, strict=True))
    figure.update_xaxes(title_text=f"time of single trials, without batch training [{unit}]", range=[0, _room(bars)])
    return figure.update_yaxes(showgrid=False)


def _room(bars: dict[str, float]) -> float:
    """Where an axis ends on which each text still has its place behind its bar."""
    return max(length / (1 - min(LETTER * len(text), 0.75)) for text, length in bars.items()) or 1.0


def _typical(times: StageTime) -> str:
    return "always from the store" if times.typical is None else f"median {duration_text(times.typical)}"

"""What figures plot: designs in groups that look alike, their figures as arrays, and what hovering over one says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import Any

import numpy as np

from dashboards.knob import Bools, Floats, Ints, Knob
from dashboards.palette import LIGHT
from dashboards.sight import INFEASIBLE, Sight
from dse import pareto
from dse.design import Scalar
from dse.export import knob_order
from dse.listing import STATE_WORDS, figure_text, title
from dse.view import STATES

#: A logarithmic axis pays where the largest figure is this many times the smallest.
DECADES = 30.0


def plain(text: object) -> str:
    """Text as text: plotly reads tags and entities in what it draws."""
    return escape(str(text), quote=False)


@dataclass(frozen=True)
class Group:
    """Rows of a sight that are drawn alike; the name is for the legend."""

    sight: Sight
    name: str
    rows: Ints
    color: str
    symbol: str
    size: float
    opacity: float

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def label(self) -> str:
        """The legend's words: what they are and how many."""
        return f"{self.name} ({len(self.rows):,})"

    @property
    def on_front(self) -> bool:
        """Whether these are designs of the front, emulated as built or not."""
        return bool(self.sight.on_front[self.rows[0]])

    @property
    def feasible(self) -> bool:
        """Whether these designs keep all limits."""
        return bool(self.sight.feasible[self.rows[0]])

    @property
    def trials(self) -> list[int]:
        """The trials' numbers."""
        found: list[int] = self.sight.columns.trials[self.rows].tolist()
        return found

    @cached_property
    def hovers(self) -> list[str]:
        """What hovering over each says."""
        return [hover(self.sight, int(row)) for row in self.rows]

    def figures(self, metric: str) -> Floats:
        """The figures of `metric`, one for each design; KeyError where one has none."""
        found = self.sight.columns.figure(metric)[self.rows]
        if np.isnan(found).any():
            raise KeyError(metric)
        return found

    def knob(self, name: str) -> Knob:
        """A knob's value for each design."""
        every = self.sight.columns.setting(name)
        return Knob(every.codes[self.rows], every.values)

    def bounds(self, metric: str) -> tuple[Floats, Floats] | None:
        """How far the stated interval reaches above and below each figure, or None where no source states one."""
        columns = self.sight.columns
        if metric not in columns.lows or np.isnan(columns.lows[metric][self.rows]).all():
            return None
        values = self.figures(metric)
        low, high = columns.lows[metric][self.rows], columns.highs[metric][self.rows]
        # a figure without an interval, or outside it, has no length on that side
        return np.nan_to_num(np.maximum(high - values, 0.0)), np.nan_to_num(np.maximum(values - low, 0.0))


def stated(sight: Sight, metrics: Iterable[str]) -> Bools:
    """Which designs have all of these figures and a say: measured, or over a limit."""
    known = np.ones(len(sight.columns), dtype=np.bool_)
    for name in metrics:
        known &= ~np.isnan(sight.columns.figure(name))
    return known


def groups(sight: Sight, metrics: Iterable[str]) -> list[Group]:
    """The measured and infeasible designs that have all of `metrics`, the front last; empty groups are left out."""
    known = stated(sight, metrics)
    front = known & sight.on_front
    found = (
        Group(sight, "over a limit", _rows(known & (sight.states == INFEASIBLE)), LIGHT["infeasible"], "x-thin", 6, 0.75),
        Group(sight, "dominated", _rows(known & sight.feasible & ~sight.on_front), LIGHT["dominated"], "circle", 6, 0.7),
        Group(sight, "front, not emulated as built yet", _rows(front & ~sight.as_built), LIGHT["front"], "square", 8, 0.7),
        Group(sight, "front", _rows(front & sight.as_built), LIGHT["front"], "circle", 9, 1.0),
    )
    return [group for group in found if len(group)]


def some_of(group: Group, most: int) -> Group:
    """A group with at most `most` of its designs, evenly taken; its name says of how many."""
    count = len(group)
    if count <= most:
        return group
    rows = group.rows[np.linspace(0, count - 1, most).astype(np.int64)]
    return replace(group, rows=rows, name=f"{group.name}, of {count:,}")


def _rows(mask: Bools) -> Ints:
    return np.flatnonzero(mask)


def hover(sight: Sight, row: int) -> str:
    """What hovering over a point says: state, all objectives and limited figures, all knobs."""
    columns = sight.columns
    proof = "" if sight.as_built[row] else ", not emulated as built yet"
    word = STATE_WORDS[STATES[sight.states[row]]]
    state = f"front{proof}" if sight.on_front[row] else "dominated" if sight.feasible[row] else word
    lines = [f"<b>trial {columns.trials[row]}</b> · {state}"]
    for name in wanted(sight):
        value = columns.figure(name)[row]
        if not np.isnan(value):
            lines.append(f"{name} <b>{figure_text(sight.goals.metric(name), float(value))}</b>")
    lines += [f"{plain(name)} {plain(value)}" for name, value in settings(sight, row).items()]
    lines += [f"over: {plain(limit)}" for limit, _ in sight.violated(row)]
    return "<br>".join(lines)


def wanted(sight: Sight) -> list[str]:
    """The metrics that count: objectives, then limited figures."""
    limited = [limit.metric for limit in sight.goals.limits]
    return list(dict.fromkeys([*(objective.metric for objective in sight.goals.objectives), *limited]))


def settings(sight: Sight, row: int) -> dict[str, Scalar]:
    """The knobs that a design sets, in order."""
    found = {name: sight.columns.knobs[name].of(row) for name in sorted(sight.columns.knobs, key=knob_order)}
    return {name: value for name, value in found.items() if value is not None}


def direction(sight: Sight, metric: str) -> str:
    """Where better is: the objective's direction, else the metric's own, which may be neither ("")."""
    for objective in sight.goals.objectives:
        if objective.metric == metric:
            return objective.direction
    return sight.goals.metric(metric).better


def axis_title(sight: Sight, metric: str) -> str:
    """Name, unit and an arrow to the better side: `dsp [blocks] ↓`."""
    arrow = {"max": " ↑", "min": " ↓", "": ""}[direction(sight, metric)]
    return f"{title(sight.goals.metric(metric))}{arrow}"


def logarithmic(values: Floats) -> bool:
    """Whether an axis reads better in decades: all figures above 0, and far apart."""
    return len(values) > 0 and bool(values.min() > 0) and bool(values.max() >= DECADES * values.min())


@dataclass(frozen=True)
class Axis:
    """The part of an axis that matters, in the metric's unit: all feasible figures, or all where nothing is feasible."""

    low: float
    high: float
    log: bool

    @classmethod
    def over(cls, drawn: Sequence[Group], metric: str, *, log: bool | None = None) -> Axis:
        """Axis of `metric` for these groups; decades as `log` says or where figures are far apart."""
        feasible = [group for group in drawn if group.feasible] or drawn
        values = np.concatenate([group.figures(metric) for group in feasible]) if feasible else np.array([0.0, 1.0])
        decades = logarithmic(values) if log is None else log and bool((values > 0).all())
        low, high = (np.log10(values.min()), np.log10(values.max())) if decades else (values.min(), values.max())
        pad = 0.06 * (high - low) or (0.1 if decades else 0.05 * abs(high) or 1.0)
        low, high = float(low - pad), float(high + pad)
        return cls(10**low if decades else low, 10**high if decades else high, decades)

    def holds(self, values: Floats) -> Bools:
        """Which values can be seen."""
        found: Bools = (values >= self.low) & (values <= self.high)
        return found

    def layout(self, ticks: int = 8) -> dict[str, Any]:
        """As plotly wants it: about `ticks` marks, ranges of logarithmic axes in decades."""
        if not self.log:
            return {"type": "linear", "range": [self.low, self.high], "nticks": ticks}
        fine = "D2" if self.high < 300 * self.low and ticks > 5 else 1
        # whole numbers at all marks: without a format those between decades are a bare 2 or 5
        form = {"tickformat": "~s"} if self.low >= 0.5 else {}
        return {"type": "log", "range": [float(np.log10(self.low)), float(np.log10(self.high))], "dtick": fine, **form}


def seen_label(group: Group, axes: Mapping[str, Axis]) -> str:
    """The legend's words, with how many designs lie beyond these axes."""
    held = np.logical_and.reduce([axis.holds(group.figures(metric)) for metric, axis in axes.items()])
    hidden = int((~held).sum())
    return f"{group.name} ({len(group):,}, {hidden:,} out of view)" if hidden else group.label


def steps(sight: Sight, x: str, y: str) -> tuple[Floats, Floats]:
    """The feasible front in two figures alone, from left to right: () where one of them has no better side."""
    signs = [{"max": -1.0, "min": 1.0, "": 0.0}[direction(sight, metric)] for metric in (x, y)]
    known = sight.feasible & stated(sight, (x, y))
    if not known.any() or 0.0 in signs:
        return np.empty(0), np.empty(0)
    points = np.column_stack([sight.columns.figure(metric)[known] for metric in (x, y)])
    best = np.unique(points[pareto.front(points * signs)], axis=0)
    return best[:, 0], best[:, 1]

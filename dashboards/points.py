"""What figures plot: standings in groups that look alike, their figures as arrays, and what hovering over one says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboards.palette import LIGHT
from dse import pareto
from dse.design import Scalar
from dse.listing import figure_text, title
from dse.metrics import METRICS
from dse.record import Record
from dse.view import Standing, View

Floats = NDArray[np.float64]
#: A logarithmic axis pays where the largest figure is this many times the smallest.
DECADES = 30.0


def plain(text: object) -> str:
    """Text as text: plotly reads tags and entities in what it draws."""
    return escape(str(text), quote=False)


@dataclass(frozen=True)
class Group:
    """Standings of a view that are drawn alike; the name is for the legend."""

    view: View
    name: str
    standings: tuple[Standing, ...]
    color: str
    symbol: str
    size: float
    opacity: float

    @property
    def label(self) -> str:
        """The legend's words: what they are and how many."""
        return f"{self.name} ({len(self.standings)})"

    @property
    def on_front(self) -> bool:
        """Whether these are designs of the front, emulated as built or not."""
        return self.standings[0].on_front

    @property
    def trials(self) -> list[int]:
        """The trials' numbers."""
        return [standing.record.trial for standing in self.standings]

    @cached_property
    def hovers(self) -> list[str]:
        """What hovering over each says."""
        return [hover(standing, self.view) for standing in self.standings]

    def figures(self, metric: str) -> Floats:
        """The figures of `metric`, one for each standing; KeyError where one has none."""
        return np.array([self._value(standing, metric) for standing in self.standings], dtype=np.float64)

    def bounds(self, metric: str) -> tuple[Floats, Floats] | None:
        """How far the stated interval reaches above and below each figure, or None where no source states one."""
        rows, found = [], False
        for standing in self.standings:
            measurement = standing.record.measurement(metric, self.view.judge)
            value = self._value(standing, metric)
            stated = None if measurement is None else measurement.intervals.get(metric)
            found = found or stated is not None
            low, high = stated or (value, value)
            rows.append((max(high - value, 0.0), max(value - low, 0.0)))
        above, below = np.array(rows, dtype=np.float64).reshape(-1, 2).T
        return (above, below) if found else None

    def _value(self, standing: Standing, metric: str) -> float:
        value = standing.record.value(metric, self.view.judge)
        if value is None:
            raise KeyError(metric)
        return value


def groups(view: View, metrics: Iterable[str]) -> list[Group]:
    """The measured and infeasible standings that have all of `metrics`, the front last; empty groups are left out."""
    wanted = tuple(metrics)
    known = [s for s in view.standings if all(s.record.value(name, view.judge) is not None for name in wanted)]
    front = tuple(s for s in known if s.on_front and s.as_built)
    unproven = tuple(s for s in known if s.on_front and not s.as_built)
    dominated = tuple(s for s in known if s.feasible and not s.on_front)
    found = (
        Group(view, "over a limit", _in(known, "infeasible"), LIGHT["infeasible"], "x-thin", 6, 0.75),
        Group(view, "dominated", dominated, LIGHT["dominated"], "circle", 6, 0.7),
        Group(view, "front, not emulated as built yet", unproven, LIGHT["front"], "square", 8, 0.7),
        Group(view, "front", front, LIGHT["front"], "circle", 9, 1.0),
    )
    return [group for group in found if group.standings]


def _in(standings: Sequence[Standing], state: str) -> tuple[Standing, ...]:
    return tuple(standing for standing in standings if standing.state == state)


def knob(record: Record, name: str) -> Scalar | None:
    """A flat knob's value; for a layer that is not named the knob's value for all layers."""
    knobs = record.design.knobs
    return knobs.get(name, knobs.get(name.partition(".")[0]))


def hover(standing: Standing, view: View) -> str:
    """What hovering over a point says: state, all objectives and limited figures, all knobs."""
    record = standing.record
    proof = "" if standing.as_built else ", not emulated as built yet"
    state = f"front{proof}" if standing.on_front else "dominated" if standing.feasible else standing.state
    lines = [f"<b>trial {record.trial}</b> · {state}"]
    limited = [limit.metric for limit in view.goals.limits]
    for name in dict.fromkeys([*(objective.metric for objective in view.goals.objectives), *limited]):
        value = record.value(name, view.judge)
        if value is not None:
            lines.append(f"{name} <b>{figure_text(METRICS[name], value)}</b>")
    lines += [f"{plain(name)} {plain(value)}" for name, value in record.design.knobs.items()]
    lines += [f"over: {plain(text)}" for text in standing.violated]
    return "<br>".join(lines)


def direction(view: View, metric: str) -> str:
    """Where better is for this view: the objective's direction, else the metric's own, which may be neither ("")."""
    for objective in view.goals.objectives:
        if objective.metric == metric:
            return objective.direction
    return METRICS[metric].better


def axis_title(view: View, metric: str) -> str:
    """Name, unit and an arrow to the better side: `dsp [blocks] ↓`."""
    arrow = {"max": " ↑", "min": " ↓", "": ""}[direction(view, metric)]
    return f"{title(metric)}{arrow}"


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
        feasible = [group for group in drawn if group.standings[0].feasible] or drawn
        values = np.concatenate([group.figures(metric) for group in feasible]) if feasible else np.array([0.0, 1.0])
        decades = logarithmic(values) if log is None else log and bool((values > 0).all())
        low, high = (np.log10(values.min()), np.log10(values.max())) if decades else (values.min(), values.max())
        pad = 0.06 * (high - low) or (0.1 if decades else 0.05 * abs(high) or 1.0)
        low, high = float(low - pad), float(high + pad)
        return cls(10**low if decades else low, 10**high if decades else high, decades)

    def holds(self, values: Floats) -> NDArray[np.bool_]:
        """Which values can be seen."""
        found: NDArray[np.bool_] = (values >= self.low) & (values <= self.high)
        return found

    def layout(self, ticks: int = 8) -> dict[str, Any]:
        """As plotly wants it: about `ticks` marks, ranges of logarithmic axes in decades."""
        if not self.log:
            return {"type": "linear", "range": [self.low, self.high], "nticks": ticks}
        fine = "D2" if self.high < 300 * self.low and ticks > 5 else 1
        return {"type": "log", "range": [float(np.log10(self.low)), float(np.log10(self.high))], "dtick": fine}


def steps(view: View, x: str, y: str) -> tuple[Floats, Floats]:
    """The feasible front in two figures alone, from left to right: () where one of them has no better side."""
    signs = [{"max": -1.0, "min": 1.0, "": 0.0}[direction(view, metric)] for metric in (x, y)]
    feasible = [group for group in groups(view, (x, y)) if group.standings[0].feasible]
    if not feasible or 0.0 in signs:
        return np.empty(0), np.empty(0)
    points = np.concatenate([np.column_stack([g.figures(x), g.figures(y)]) for g in feasible])
    best = np.unique(points[pareto.front(points * signs)], axis=0)
    return best[:, 0], best[:, 1]

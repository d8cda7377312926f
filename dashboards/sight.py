"""What a judge's figures mean under given goals: who is feasible, the front, and what a budget costs. All at once, in arrays.

`dse.view` says the same of each record by itself; a test holds them against one another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from dashboards.columns import Columns, gather
from dashboards.knob import Bools, Floats, Ints
from dse import pareto
from dse.goals import Goals, Limit
from dse.metrics import Judge
from dse.view import STATES, View

MEASURED, INFEASIBLE, UNJUDGED, PRUNED, FAILED = range(len(STATES))


@dataclass(frozen=True)
class Binding:
    """The limit that holds the best design back: what is had without it, and how far beyond it that lies.

    `row` is the nearest design that keeps all other limits and is better; `over` how far it exceeds the bound (0.12 for
    12 %); `reach` the best value to be had if the limit were gone.
    """

    limit: Limit
    row: int
    over: float
    reach: float


@dataclass(frozen=True)
class Sight:
    """Columns under goals. Rows are those of `columns`."""

    name: str
    columns: Columns
    goals: Goals

    @property
    def judge(self) -> Judge:
        """Whose figures these are."""
        return self.goals.judge

    @cached_property
    def shortfalls(self) -> Floats:
        """(n, limits): how far each figure is beyond the limit, relative to it; <= 0 is kept, NaN where it is not stated."""
        found = np.empty((len(self.columns), len(self.goals.limits)))
        for place, limit in enumerate(self.goals.limits):
            found[:, place] = shortfall(limit, self.columns, self.goals)
        return found

    @cached_property
    def costs(self) -> Floats:
        """(n, objectives): signs turned so that less is better; NaN where a figure is not stated."""
        columns = [objective.sign * self.columns.figure(objective.metric) for objective in self.goals.objectives]
        return np.column_stack(columns) if columns else np.empty((len(self.columns), 0))

    @cached_property
    def states(self) -> Ints:
        """(n,): places in `dse.view.STATES`."""
        columns = self.columns
        silent = np.isnan(self.costs).any(axis=1) | np.isnan(self.shortfalls).any(axis=1)
        found = np.where(silent, UNJUDGED, MEASURED)
        found[(np.nan_to_num(self.shortfalls, nan=-1.0) > 0).any(axis=1)] = INFEASIBLE
        found[columns.pruned] = PRUNED
        found[columns.failure >= 0] = FAILED
        return found

    @property
    def feasible(self) -> Bools:
        """Which designs have all figures and keep all limits."""
        mask: Bools = self.states == MEASURED
        return mask

    @cached_property
    def on_front(self) -> Bools:
        """Which feasible designs no other one dominates."""
        found = np.zeros(len(self.columns), dtype=np.bool_)
        rows = np.flatnonzero(self.feasible)
        if len(rows):
            found[rows] = pareto.front(self.costs[rows])
        return found

    @cached_property
    def front(self) -> Ints:
        """The rows of the front, the best in the first objective first."""
        rows = np.flatnonzero(self.on_front)
        return rows[np.lexsort(self.costs[rows].T[::-1])] if len(rows) else rows

    @cached_property
    def as_built(self) -> Bools:
        """Which designs were emulated exactly as they are built."""
        stated: Bools = ~np.isnan(self.columns.figure("agreement_test"))
        return stated

    @cached_property
    def knee(self) -> int | None:
        """The row of the front where it bends most."""
        return int(self.front[pareto.knee(self.costs[self.front])]) if len(self.front) else None

    @property
    def counts(self) -> dict[str, int]:
        """How many records are in each of STATES."""
        found = np.bincount(self.states, minlength=len(STATES))
        return {state: int(found[place]) for place, state in enumerate(STATES)}

    def best(self, objective: int = 0) -> int | None:
        """The feasible row that is best in this objective; among equal ones the knee of the others."""
        rows = self.front
        if not len(rows):
            return None
        costs = self.costs[rows]
        ties = np.flatnonzero(costs[:, objective] == costs[:, objective].min())
        return int(rows[ties[pareto.knee(costs[ties])]])

    @cached_property
    def nearest(self) -> tuple[int, Limit, float] | None:
        """Of the designs beyond a limit the one least beyond: its row, its worst limit and how far, 0.12 for 12 %."""
        over = np.nan_to_num(self.shortfalls, nan=-np.inf)
        rows = np.flatnonzero((over > 0).any(axis=1))
        if not len(rows):
            return None
        whole = rows[self.states[rows] == INFEASIBLE]  # of others it is not known how far the rest lies beyond
        rows = whole if len(whole) else rows
        row = int(rows[np.argmin(over[rows].max(axis=1))])
        place = int(np.argmax(over[row]))
        return row, self.goals.limits[place], float(over[row, place])

    def violated(self, row: int) -> list[tuple[Limit, float]]:
        """The limits that a design does not keep and how far it is beyond, the worst first."""
        found = [(limit, float(over)) for limit, over in zip(self.goals.limits, self.shortfalls[row], strict=True) if over > 0]
        return sorted(found, key=lambda pair: -pair[1])

    def tightest(self, row: int) -> tuple[Limit, float] | None:
        """The limit that a design is nearest to, and the room that is left (0.12: 12 % of the bound)."""
        found = self.shortfalls[row]
        if not len(found) or np.isnan(found).all():
            return None
        place = int(np.nanargmax(found))
        return self.goals.limits[place], -float(found[place])

    def binding(self, objective: int = 0) -> Binding | None:
        """The limit without which this objective would gain most, or None where no limit holds it back.

        The gain is measured against the best feasible design, or against nothing where none is feasible.
        """
        if objective not in self._bindings:
            self._bindings[objective] = self._binding(objective)
        return self._bindings[objective]

    @cached_property
    def _bindings(self) -> dict[int, Binding | None]:
        """What was found already."""
        return {}

    def _binding(self, objective: int) -> Binding | None:
        now = self.best(objective)
        have = math.inf if now is None else float(self.costs[now, objective])
        usable = ~np.isin(self.states, (UNJUDGED, PRUNED, FAILED)) & ~np.isnan(self.costs).any(axis=1)
        usable &= ~np.isnan(self.shortfalls).any(axis=1)
        found: list[tuple[float, Binding]] = []
        for place, limit in enumerate(self.goals.limits):
            others = np.delete(self.shortfalls, place, axis=1)
            rows = np.flatnonzero(usable & (others <= 0).all(axis=1) & (self.costs[:, objective] < have))
            if len(rows):
                near = int(rows[np.argmin(self.shortfalls[rows, place])])
                reach = float(self.costs[rows, objective].min())
                value = self.goals.objectives[objective].sign * reach
                found.append((reach, Binding(limit, near, float(self.shortfalls[near, place]), value)))
        return min(found, key=lambda pair: (pair[0], pair[1].over))[1] if found else None


def shortfall(limit: Limit, columns: Columns, goals: Goals) -> Floats:
    """`Limit.shortfall` of a whole column."""
    values = columns.figure(limit.metric)
    ends = columns.lows if limit.at_least is not None else columns.highs
    if limit.confidence is not None and limit.metric in ends:
        stated = ends[limit.metric]
        values = np.where(np.isnan(stated), values, stated)
    # plain arithmetic: what it says of a number it says of each number of a column
    return np.asarray(limit.shortfall(cast("float", values), goals.resources), dtype=np.float64)


def look(seen: View | Sight) -> Sight:
    """A view's records in columns; what is in columns already stays as it is."""
    if isinstance(seen, Sight):
        return seen
    return Sight(seen.name, gather(seen.judge, [standing.record for standing in seen.standings]), seen.goals)


def points(sights: Sequence[Sight]) -> Floats:
    """The costs of all feasible designs of several runs with the same objectives, one after the other."""
    return np.concatenate([sight.costs[sight.feasible] for sight in sights])

"""A run as one judge sees it: how each record stands, and the front. Figures of two judges never meet in one view."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from dse import pareto
from dse.errors import UsageError
from dse.goals import Goals
from dse.metrics import Judge
from dse.record import Record
from dse.run import Run

#: `unjudged`: this judge has not stated every objective and every limited figure.
STATES = ("measured", "infeasible", "unjudged", "pruned", "failed")


@dataclass(frozen=True)
class Standing:
    """How one record stands with a judge.

    `values` are the objectives in order, or None; `shortfalls` each limit's shortfall by its text (<= 0: kept). Only a
    measured record is feasible.
    """

    record: Record
    state: str
    values: tuple[float, ...] | None
    shortfalls: Mapping[str, float]
    on_front: bool = False

    @property
    def feasible(self) -> bool:
        """True where all objectives and all limited figures are known, and all limits are kept."""
        return self.state == "measured"

    @property
    def as_built(self) -> bool:
        """True where the very project of this design was compiled and emulated, on validation and test rows."""
        return self.record.value("agreement_test") is not None

    @property
    def emulated(self) -> bool:
        """True where generated code of this design was compiled and run; others were scored by their float64 reference."""
        return any(found.source.level == "emulated" for found in self.record.measurements)

    @property
    def violated(self) -> tuple[str, ...]:
        """The limits that are not kept, the worst first."""
        beyond = sorted((-over, text) for text, over in self.shortfalls.items() if over > 0)
        return tuple(text for _, text in beyond)


@dataclass(frozen=True)
class View:
    """The standings of a run's records with the judge of `goals`, in the order in which the trials were finished."""

    name: str
    goals: Goals
    standings: tuple[Standing, ...]

    @property
    def judge(self) -> Judge:
        """Whose figures these are."""
        return self.goals.judge

    @cached_property
    def feasible(self) -> tuple[Standing, ...]:
        """The feasible ones."""
        return tuple(standing for standing in self.standings if standing.feasible)

    @cached_property
    def front(self) -> tuple[Standing, ...]:
        """The feasible ones that no other feasible one dominates, the best in the first objective first."""
        signs = [objective.sign for objective in self.goals.objectives]
        found = [standing for standing in self.standings if standing.on_front]
        return tuple(sorted(found, key=lambda s: [sign * value for sign, value in zip(signs, s.values or (), strict=True)]))

    @property
    def unproven(self) -> tuple[Standing, ...]:
        """Designs of the front that have not been emulated as they are built yet; they are not exported as its members."""
        return tuple(standing for standing in self.front if not standing.as_built)

    @property
    def scored(self) -> int:
        """How many designs were scored by the float64 reference of their network and not emulated."""
        levels = [{found.source.level for found in standing.record.measurements} for standing in self.standings]
        return sum("reference" in found and "emulated" not in found for found in levels)

    @property
    def counts(self) -> dict[str, int]:
        """How many records are in each of STATES."""
        found = dict.fromkeys(STATES, 0)
        for standing in self.standings:
            found[standing.state] += 1
        return found

    @property
    def knee(self) -> Standing | None:
        """The design of the front where getting better in one objective begins to cost much in others; see `pareto.knee`."""
        return self.front[pareto.knee(minimised(self.goals, self.front))] if self.front else None

    @property
    def nearest(self) -> tuple[Standing, str, float] | None:
        """Of the designs beyond a limit the one least beyond: it, its worst limit's text and how far, 0.12 for 12 %.

        Of one that was stopped early or failed it is not known how far the rest lies beyond: those come in where there are
        no others.
        """
        beyond = [(max(s.shortfalls.values()), s) for s in self.standings if s.violated]
        beyond = [pair for pair in beyond if pair[1].state == "infeasible"] or beyond
        if not beyond:
            return None
        over, standing = min(beyond, key=lambda pair: pair[0])
        return standing, standing.violated[0], over


def minimised(goals: Goals, standings: tuple[Standing, ...]) -> pareto.Floats:
    """The objectives of standings that have them as an array (n, objectives), signs turned so that less is better."""
    signs = [objective.sign for objective in goals.objectives]
    rows = np.array([standing.values for standing in standings], dtype=np.float64)
    return rows.reshape(-1, len(signs)) * signs


def stand(record: Record, goals: Goals) -> Standing:
    """How one record stands by itself; whether it is on a front is not known here."""
    values, shortfalls = goals.values(record), goals.shortfalls(record)
    if record.failure is not None:
        state = "failed"
    elif record.pruned:
        state = "pruned"
    elif any(over > 0 for over in shortfalls.values()):
        state = "infeasible"
    elif values is None or any(record.value(limit.metric, goals.judge) is None for limit in goals.limits):
        state = "unjudged"
    else:
        state = "measured"
    return Standing(record, state, values, shortfalls)


def view(run: Run, judge: str = "") -> View:
    """The run as its study's judge sees it, or as the judge of this name (or part of one); UsageError for others."""
    goals = replace(run.goals, judge=find_judge(run, judge)) if judge else run.goals
    standings = [stand(record, goals) for record in run.records]
    rows = [row for row, standing in enumerate(standings) if standing.feasible]
    if rows:
        marks = pareto.front(minimised(goals, tuple(standings[row] for row in rows)))
        for row, mark in zip(rows, marks, strict=True):
            standings[row] = replace(standings[row], on_front=bool(mark))
    return View(run.name, goals, tuple(standings))


def judges(run: Run) -> tuple[Judge, ...]:
    """The study's judge, then all others that have stated a figure in this run or have failed to."""
    stated = [judge for record in run.records for judge in record.judges]
    failed = [refusal.judge for record in run.records for refusal in record.refusals]
    return tuple(dict.fromkeys([run.goals.judge, *stated, *failed]))


def coverage(run: Run) -> dict[Judge, int]:
    """How many designs each judge of the run has stated figures of."""
    found = dict.fromkeys(judges(run), 0)
    for record in run.records:
        for judge in record.judges:
            found[judge] += 1
    return found


def find_judge(run: Run, text: str) -> Judge:
    """The run's judge of this name, or the only one whose name contains `text`; UsageError otherwise.

    Where several names contain it, those that have it as whole words count ("cut at 5" is not "cut at 50"). Parts between
    commas are looked for one by one: "open, cut at 5". Capitals do not matter.
    """
    known = judges(run)
    for judge in known:
        if judge.name == text:
            return judge
    found = [judge for judge in known if text.casefold() in judge.name.casefold()]
    if len(found) != 1:
        words = [part.strip() for part in text.split(",") if part.strip()]
        whole = [judge for judge in found or known if words and all(_said(part, judge.name) for part in words)]
        found = whole or found
    if len(found) == 1:
        return found[0]
    trouble = "is none of the judges of this run" if not found else "fits several judges"
    names = "".join(f"\n  {judge.name}" for judge in found or known)
    how = 'give a part of one name alone, or several parts of it with commas between, such as "open, cut at 5"'
    raise UsageError(f"judge {text!r} {trouble}; {how}:{names}")


def _said(part: str, name: str) -> bool:
    """Whether a name contains a part as whole words."""
    return re.search(rf"(?<![\w.]){re.escape(part)}(?![\w.])", name, re.IGNORECASE) is not None

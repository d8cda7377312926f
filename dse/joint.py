"""One front of several runs: other kinds of model for the same data, judged by the same judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dse import pareto
from dse.errors import UsageError
from dse.goals import Goals
from dse.run import Run
from dse.view import Standing, View, minimised, view


@dataclass(frozen=True)
class Joint:
    """The front over all runs; `views` see each run under the goals of all, `front` holds pairs (run's name, standing)."""

    goals: Goals
    views: tuple[View, ...]
    front: tuple[tuple[str, Standing], ...]


def joint(runs: Sequence[Run], judge: str = "") -> Joint:
    """The common front, the best in the first objective first; limits of any of the runs bind all designs.

    UsageError where the runs are not of the same data and split, or have other objectives or another judge: their figures
    cannot be compared.
    """
    first = runs[0]
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        raise UsageError(f"each run on a common front needs a name of its own, got {', '.join(names)}.")
    for run in runs[1:]:
        if run.study["facts"]["data"] != first.study["facts"]["data"]:
            raise UsageError(f"{run.folder} and {first.folder} are not of the same data and split; no common front.")
        if run.goals.objectives != first.goals.objectives:
            told = [", ".join(f"{o.metric} {o.direction}" for o in one.goals.objectives) for one in (first, run)]
            raise UsageError(f"{first.folder} and {run.folder} have other objectives: {told[0]}; and {told[1]}.")
    limits = tuple(dict.fromkeys(limit for run in runs for limit in run.goals.limits))
    own = tuple(dict.fromkeys(metric for run in runs for metric in run.goals.own))
    views = [view(replace(run, goals=replace(run.goals, limits=limits, own=own)), judge) for run in runs]
    for seen in views[1:]:
        if seen.judge != views[0].judge:
            raise UsageError(f"{seen.name} is judged by {seen.judge.name}, {views[0].name} by {views[0].judge.name}.")
    feasible = [(seen.name, standing) for seen in views for standing in seen.feasible]
    costs = minimised(views[0].goals, tuple(standing for _, standing in feasible))
    marks = pareto.front(costs) if feasible else np.zeros(0, dtype=np.bool_)
    rows = sorted(np.flatnonzero(marks).tolist(), key=lambda row: costs[row].tolist())
    return Joint(views[0].goals, tuple(views), tuple(feasible[row] for row in rows))

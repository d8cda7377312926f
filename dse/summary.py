"""How a sweep stands, in numbers: the best designs, failures alike together, and where the time went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from dse.errors import FAILURE_KINDS
from dse.export import figure
from dse.listing import headline
from dse.metrics import Judge
from dse.record import Failure
from dse.run import Run
from dse.view import Standing, View, coverage, judges


@dataclass(frozen=True, slots=True)
class Failed:
    """A failure and the trials that it hit."""

    failure: Failure
    trials: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StageTime:
    """Seconds of a stage over all trials, and the median of those trials that it took any time in (None: in none)."""

    total: float
    typical: float | None
    trials: int


def failures(view: View) -> list[Failed]:
    """Every different failure (stage, kind and message) once, in the order of FAILURE_KINDS, then of trials.

    The log is that of the first trial.
    """
    found: dict[tuple[str, str, str], list[Standing]] = {}
    for standing in sorted(view.standings, key=lambda standing: standing.record.trial):
        failure = standing.record.failure
        if failure is not None:
            found.setdefault((failure.stage, failure.kind, failure.message), []).append(standing)
    alike = []
    for standings in found.values():
        first = standings[0].record.failure
        assert first is not None
        alike.append(Failed(first, tuple(standing.record.trial for standing in standings)))
    return sorted(alike, key=lambda row: (FAILURE_KINDS.index(row.failure.kind), row.trials))


@dataclass(frozen=True, slots=True)
class Refused:
    """A judge's refusal and the trials that it hit."""

    judge: Judge
    failure: Failure
    trials: tuple[int, ...]


def refusals(run: Run) -> list[Refused]:
    """Every different refusal (judge, kind and message) once, judge by judge, then in the order of trials."""
    found: dict[tuple[Judge, str, str], list[tuple[int, Failure]]] = {}
    for judge in judges(run):
        for record in sorted(run.records, key=lambda record: record.trial):
            for refusal in record.refusals:
                if refusal.judge == judge:
                    alike = (judge, refusal.failure.kind, refusal.failure.message)
                    found.setdefault(alike, []).append((record.trial, refusal.failure))
    return [Refused(alike[0], rows[0][1], tuple(trial for trial, _ in rows)) for alike, rows in found.items()]


def stage_times(view: View) -> dict[str, StageTime]:
    """Each stage's times, in the order in which stages were first seen."""
    times: dict[str, list[float]] = {}
    for standing in view.standings:
        for stage, seconds in standing.record.seconds.items():
            times.setdefault(stage, []).append(seconds)
    found = {}
    for stage, every in times.items():
        worked = [value for value in every if value > 0]
        found[stage] = StageTime(sum(every), median(worked) if worked else None, len(worked))
    return found


#: What the stages' work is for, as a person counts it.
WORK = {
    "training": ("train", "compress"),
    "converting": ("convert", "foresee"),
    "compiling and emulating": ("emulate", "verify"),
    "figures of hardware": ("synthesize",),
}


def work(run: Run, made: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Seconds of work by kind that went into this run's designs, by the rows `made` of the store; {} where it holds none.

    What was made once counts once, however many designs share it; networks that were trained together have a share each.
    """
    keys = {key for record in run.records for key in record.entries.values()}
    keys |= {found.source.key for record in run.records for found in record.measurements}
    seconds = {(row["stage"], row["key"]): float(row["seconds"]) for row in made if row["key"] in keys}
    found = {name: sum(s for (stage, _), s in seconds.items() if stage in stages) for name, stages in WORK.items()}
    return {name: total for name, total in found.items() if total > 0}


def grades(view: View) -> dict[str, int]:
    """How many designs the view's estimate is sure of, and how: "calibrated" in every figure, "law", or "none" (no estimate).

    {} where the judge grades nothing: tools measure.
    """
    found = dict.fromkeys(("calibrated", "law", "none"), 0)
    for standing in view.standings:
        record = standing.record
        rows = [m.grades for m in record.measurements if m.judge == view.judge and m.grades]
        if rows:
            found["calibrated" if set(rows[-1].values()) == {"calibrated"} else "law"] += 1
        elif record.failure is not None and (record.failure.stage, record.failure.kind) == ("synthesize", "unsupported"):
            found["none"] += 1
    return found if view.judge.level == "estimated" and any(found.values()) else {}


def best(view: View) -> dict[str, tuple[Standing, float]]:
    """The best feasible design and its figure for each objective; {} where nothing is feasible."""
    found = {}
    for place, objective in enumerate(view.goals.objectives):
        rows = [(objective.sign * s.values[place], s.record.trial, s) for s in view.feasible if s.values is not None]
        if rows:
            _, _, standing = min(rows, key=lambda row: row[:2])
            measurement = standing.record.measurement(objective.metric, view.judge)
            assert measurement is not None
            found[objective.metric] = (standing, figure(objective.metric, measurement))
    return found


def status(run: Run, view: View) -> dict[str, Any]:
    """Everything that `dse status` says, as JSON values; the store aside."""
    return {
        "study": run.name,
        "folder": str(run.folder),
        "judge": view.judge.name,
        "designs_with_figures": {judge.name: count for judge, count in coverage(run).items()},
        "headline": headline(view),
        "finished": len(view.standings),
        "states": view.counts,
        "grades": grades(view),
        "front": [standing.record.trial for standing in view.front],
        "knee": None if view.knee is None else view.knee.record.trial,
        "best": {
            name: {"value": value, "unit": view.goals.metric(name).unit, "trial": standing.record.trial}
            for name, (standing, value) in best(view).items()
        },
        "running": [{"trial": asked.trial, "since": asked.time, "knobs": asked.design.knobs} for asked in run.running],
        "failures": [
            {"stage": row.failure.stage, "kind": row.failure.kind, "message": row.failure.message, "trials": list(row.trials)}
            for row in failures(view)
        ],
        "refusals": [
            {"judge": row.judge.name, "kind": row.failure.kind, "message": row.failure.message, "trials": list(row.trials)}
            for row in refusals(run)
        ],
        "seconds": {
            stage: {"total": times.total, "median": times.typical, "trials": times.trials}
            for stage, times in stage_times(view).items()
        },
    }

"""What a person sees while a sweep runs: a bar in a terminal, a line per trial elsewhere."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dse.goals import Goals
from dse.listing import figure_text
from dse.record import Record
from dse.together import Prepared

log = logging.getLogger("dse.sweep")


def short(record: Record, goals: Goals) -> str:
    """One line: the objectives' figures, or why there are none."""
    if record.failure is not None:
        return f"{record.failure.kind} in {record.failure.stage}: {record.failure.message.splitlines()[0]}"
    found = []
    for objective in goals.objectives:
        value = record.value(objective.metric, goals.judge)
        if value is not None:
            found.append(f"{objective.metric} {figure_text(goals.metric(objective.metric), value)}")
    return ", ".join(found) + (f" (stopped: breaks {record.pruned})" if record.pruned else "")


class Show:
    """A context manager around the sweep; `quiet` shows nothing but still writes the log."""

    def __init__(self, console: Console, goals: Goals, total: int, *, quiet: bool = False) -> None:
        self._console, self._goals, self._quiet = console, goals, quiet
        self._live = console.is_terminal and not quiet
        self._bar = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[best]}"),
            TextColumn("[red]{task.fields[failed]}"),
            TextColumn("[dim]{task.fields[busy]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not self._live,
        )
        self._task = self._bar.add_task("designs", total=total, best="", failed="", busy="")
        self._failed = 0
        self._told: set[str] = set()
        self._best: float | None = None

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """A line above the bar, and in the log."""
        log.info(text)
        if not self._quiet:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def phase(self, name: str, done: int, total: int) -> None:
        """Begin another piece of work."""
        self._bar.reset(self._task, total=total, completed=done, description=name)

    def already(self, records: list[Record]) -> None:
        """Count records of an earlier run."""
        for record in records:
            self._count(record)
        self._bar.update(self._task, completed=len(records))

    def prepared(self, found: Prepared, seconds: float) -> None:
        """The networks of a batch are trained."""
        reasons = dict.fromkeys(reason for _, reason in found.alone)
        if reasons and not self._told.issuperset(reasons):
            self._told |= set(reasons)
            self.say(f"trained one by one: {'; '.join(reasons)}")
        if found.made:
            what = "1 network trained" if found.made == 1 else f"{found.made} networks trained together"
            self.note(f"{what} [{seconds:.1f} s]")

    def busy(self, told: list[str]) -> None:
        """What workers say of themselves meanwhile; one of them is enough for a line."""
        more = f" +{len(told) - 1}" if len(told) > 1 else ""
        self._bar.update(self._task, busy="".join(told[:1]) + more)

    def note(self, line: str) -> None:
        """A line in the log and where there is no bar."""
        log.info(line)
        if not self._live and not self._quiet:
            self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def record(self, record: Record) -> None:
        """A trial is finished."""
        self._count(record)
        self.note(f"trial {record.trial}: {short(record, self._goals)} [{sum(record.seconds.values()):.1f} s]")
        self._bar.advance(self._task)

    def advance(self) -> None:
        """One more piece is done."""
        self._bar.advance(self._task)

    def _count(self, record: Record) -> None:
        self._failed += record.failure is not None
        first = self._goals.objectives[0]
        value = record.value(first.metric, self._goals.judge)
        if value is not None and self._goals.feasible(record):
            better = self._best is None or first.sign * value < first.sign * self._best
            self._best = value if better else self._best
        best = "" if self._best is None else f"best {first.metric} {self._best:.4g}"
        self._bar.update(self._task, best=best, failed=f"{self._failed} failed" if self._failed else "")

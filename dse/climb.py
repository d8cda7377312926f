"""Designs of a finished sweep up the rungs of synthesis: who is chosen, what is told meanwhile, what the records keep."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from dse import ladder
from dse.errors import DseError, StageFailed, UsageError
from dse.executors import Callers, outcome
from dse.journal import only_runner
from dse.ladder import STAGE, Task, Told, rungs
from dse.listing import duration_text, headline
from dse.metrics import Judge
from dse.network import Network
from dse.record import Failure, Record, Refusal
from dse.run import Run, open_run
from dse.store import Store
from dse.sweep import LOG_FILE, logged
from dse.sweep.ledger import Ledger
from dse.sweep.progress import Show, short
from dse.synth import Synthesizer
from dse.synth.open import Effort, Open
from dse.synth.vitis import BACKENDS, Vitis
from dse.synth.vivado import RUNGS as ABOVE
from dse.synth.vivado import Vivado
from dse.vendor import Terms
from dse.view import view

RUNGS = ("open", "hls", *ABOVE)
#: Memory that one run may well take.
RUN_BYTES = 8 * 10**9
#: Failures of the machine that no other design would escape; after so many in a row nothing more is begun.
OF_THE_MACHINE = ("licence", "disk")
IN_A_ROW = 3


@dataclass(frozen=True)
class Choice:
    """Which designs: these trials, or, where there are none, the front as the judge of this name sees it."""

    trials: tuple[int, ...] = ()
    judge: str = ""


@dataclass(frozen=True)
class Manner:
    """How to go about it: whether to co-simulate, how many designs at once, which remembered failures to try again."""

    cosim: bool = False
    jobs: int = 1
    retry_failed: tuple[str, ...] = ()
    quiet: bool = False
    console: Console = field(default_factory=Console)


@dataclass(frozen=True)
class Climbed:
    """What came of it: the run as it is now, whose figures were asked for, and the chosen trials that have them or failed."""

    run: Run
    judge: Judge
    stated: tuple[int, ...]
    failed: tuple[int, ...]


def default_jobs() -> int:
    """Two runs at once, or one where the memory is short."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(2, memory // RUN_BYTES))


def synthesizer(rung: str, terms: Terms, latency_cutoff: float = 5.0) -> Synthesizer:
    """Whose figures a rung's are: Vitis HLS's, Vivado's on what Vitis HLS has made, or those of open tools."""
    if rung == "open":
        return Open(latency_cutoff, effort=Effort(limits=replace(terms.limits, disk_bytes=0)))
    hls = Vitis(terms=terms)
    return hls if rung == "hls" else Vivado(rung, hls, terms=terms)


def climb(folder: Path, choice: Choice, top: Synthesizer, manner: Manner) -> Climbed:
    """Synthesise designs of a sweep and add their figures to its records; what is there already is not made again.

    A design that a tool fails on keeps its record and its other figures: the failure is noted as that judge's refusal, a
    permanent one is remembered by the store, a passing one tried again by the next call. Raises UsageError for designs that
    cannot be synthesised, ToolNotFound, and DseError while a runner sweeps or where the machine keeps failing.
    """
    judged = open_run(folder).goals.judge
    judge = top.judge(judged.part, judged.clock_ns)
    with only_runner(folder, "synth"), logged(folder / LOG_FILE):
        run = open_run(folder)
        store = Store(run.folder.resolve().parent, frozenset(manner.retry_failed))
        store.prepare()
        records = chosen(run, choice, store)
        _check_front_end(rungs(top)[0], records[0], store)
        going = _Climbing(run, judge, Ledger(folder), manner)
        with Show(manner.console, replace(run.goals, judge=judge), len(records), quiet=manner.quiet) as show:
            show.say(f"{run.name}: {len(records)} designs for {judge.name}; {manner.jobs} at once")
            show.say(f"logs of what is running: {store.folder}/drafts/{STAGE}-*/*.log")
            tasks = [Task(r, store, rungs(top), manner.cosim, judged.clock_ns) for r in records]
            going.go(tasks, show)
    return Climbed(open_run(folder), judge, tuple(going.stated), tuple(going.failed))


def chosen(run: Run, choice: Choice, store: Store) -> list[Record]:
    """The records of the chosen designs; UsageError where one cannot be synthesised, with the reason."""
    seen = view(run, choice.judge)
    found = [run.record(trial) for trial in dict.fromkeys(choice.trials)] or [s.record for s in seen.front]
    if not found:
        raise UsageError(f"{run.folder}: the front is empty. {headline(seen)} Name designs with --trial N.")
    for record in found:
        failure = record.failure
        if "convert" not in record.entries or (failure is not None and failure.stage != STAGE):
            why = "it was not converted" if failure is None else f"it failed in {failure.stage} ({failure.kind})"
            raise UsageError(f"trial {record.trial} cannot be synthesised: {why}; `dse show {run.folder} {record.trial}`.")
    _check_projects(run, found, store)
    return found


def _check_projects(run: Run, records: list[Record], store: Store) -> None:
    """UsageError where the store does not hold the project of each of these designs."""
    gone = [record for record in records if store.find("convert", record.entries["convert"]) is None]
    scored = [str(record.trial) for record in gone if "emulate" not in record.entries]
    if scored:
        raise UsageError(
            f"trials {', '.join(scored)} were scored and never built: the study emulates its front alone. Let `dse run` finish "
            f"{run.name} and choose designs of its front, or sweep with --set emulate=all into another --root."
        )
    if gone:
        raise UsageError(
            f"{store.folder} no longer holds the generated projects of trials {', '.join(str(r.trial) for r in gone)} "
            "(`dse clean --keep-front` removes those of other designs). Run the sweep again into another --root, or leave them "
            "out: --trial N."
        )


def _check_front_end(lowest: Synthesizer, record: Record, store: Store) -> None:
    """DseError where the tool that is there cannot compile this sweep's projects: no design need be tried."""
    network = Network.load(store.path("convert", record.entries["convert"]))
    if isinstance(lowest, Vitis) and BACKENDS[lowest.tool.program.tool] != network.backend:
        needed = next(name for name, backend in BACKENDS.items() if backend == network.backend)
        raise DseError(
            f"the projects of this sweep are written for {needed}; {lowest.tool.path} is {lowest.tool} and cannot read them. "
            f"Source settings64.sh of a version that has {needed} (Vitis: 2020.2 and newer)."
        )


class _Climbing:
    """The loop over designs, and what it has to remember."""

    def __init__(self, run: Run, judge: Judge, ledger: Ledger, manner: Manner) -> None:
        self.run, self.judge, self.ledger, self.manner = run, judge, ledger, manner
        self.stated: list[int] = []
        self.failed: list[int] = []
        self.failures: deque[str] = deque(maxlen=IN_A_ROW)

    def go(self, tasks: Iterable[Task], show: Show) -> None:
        """Have all tasks done; each result is in the records before the next is waited for."""
        with Callers(self.manner.jobs, self.run.folder / LOG_FILE) as callers:
            running = {callers.submit(ladder.climb, task): task.record.trial for task in tasks}
            show.phase("designs", 0, len(running))
            while running:
                done, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in done:
                    self._finish(running.pop(future), future, show)

    def _finish(self, trial: int, future: Future[Any], show: Show) -> None:
        try:
            told: Told = outcome(future, None)
        except StageFailed as error:
            failure = Failure("worker", error.kind, error.message, error.log)
            told = Told((), Refusal(self.judge, failure), 0.0, None)
        record = self.ledger.records[trial]
        if told.measurements:
            record = self.ledger.add(trial, told.measurements, None)
        if told.refusal is not None and told.refusal not in record.refusals:
            record = self.ledger.refuse(trial, told.refusal)
        (self.stated if told.refusal is None else self.failed).append(trial)
        show.say(f"trial {trial}: {self._line(record, told)}")
        show.advance()
        self._check_machine(told.refusal)

    def _line(self, record: Record, told: Told) -> str:
        if told.refusal is None:
            spent = duration_text(told.seconds) if told.seconds else "nothing to be done: it was synthesised before"
            return f"{short(replace(record, failure=None), replace(self.run.goals, judge=self.judge))} [{spent}]"
        failure = told.refusal.failure
        again = "the same command tries again" if failure.passing else f"remembered; --retry-failed {failure.kind} tries again"
        files = "" if told.files is None else f"\n  files: {told.files}"
        return f"{failure.kind}: {failure.message.splitlines()[0]}\n  {again}{files}"

    def _check_machine(self, refusal: Refusal | None) -> None:
        kind = "" if refusal is None else refusal.failure.kind
        self.failures.append(kind)
        if refusal is not None and kind in OF_THE_MACHINE and list(self.failures) == [kind] * IN_A_ROW:
            raise DseError(
                f"stopped: {IN_A_ROW} designs in a row failed with {kind!r}, the machine's fault and not the designs': "
                f"{refusal.failure.message}\nMend that, then run the same command."
            )

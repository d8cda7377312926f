"""The loop of one sweep: ask, submit, wait, tell; and the check of the front at its end."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from dse import busy, worker
from dse.design import Design
from dse.errors import DseError, StageFailed
from dse.executors import Workers, outcome
from dse.ladder import patience_s
from dse.record import Failure, Record
from dse.run import Asked, open_run
from dse.study import Study
from dse.sweep.batches import FEWEST, VARIANTS, batch_size, halves, leaders_first, network, networks_of
from dse.sweep.ledger import Ledger
from dse.sweep.options import Options, Swept
from dse.sweep.progress import Show
from dse.sweep.sampling import proposals
from dse.together import Prepared
from dse.view import judges, view
from dse.workload import Workload

#: Passing failures of one kind in a row after which the machine, not the designs, is at fault.
IN_A_ROW = 3
#: Attempts at a design that the machine may fail.
ATTEMPTS = 2


class Sweeping:
    """The loop, and what it has to remember."""

    def __init__(self, study: Study, options: Options, ledger: Ledger, workers: Workers, first: Iterable[Design] = ()) -> None:
        self.study, self.options, self.ledger, self.workers = study, options, ledger, workers
        self.goals = study.goals
        patience = study.timeout_s + patience_s(study.synthesizer, workers.jobs)
        self.timeout_s = None if math.isinf(patience) else patience
        self.target = options.trials or study.trials
        self.sampling = proposals(study, self.target, study.seed + len(ledger.records))
        self.batch = batch_size(self.sampling, self.target, workers.jobs)
        self.at_once: int | None = None  # networks that a worker may train at once, where more have been the death of one
        self.preparing: dict[Future[Any], tuple[list[Asked], int | None, float]] = {}
        self.running: dict[Future[Any], Asked] = {}
        self.attempts: dict[int, int] = {}
        self.failures: deque[str] = deque(maxlen=IN_A_ROW)
        self.ended = ""
        self.deadline = None if options.hours is None else time.monotonic() + 3600 * options.hours
        for trial in [t for t, r in ledger.records.items() if r.failure is not None and r.failure.kind in options.retry_failed]:
            del ledger.records[trial]
        self.sampling.replay(ledger.records.values())
        self.waiting = deque(ledger.pending)
        for asked in self.waiting:
            self.sampling.note(asked.design)
        self.first = deque(first)

    def go(self) -> Swept:
        """Sweep until the target is reached or nothing is left, then emulate the front as it is built."""
        with Show(self.options.console, self.goals, self.target, quiet=self.options.quiet) as self.show:
            self._greet()
            busy.forget(self.ledger.folder)
            self.show.already(list(self.ledger.records.values()))
            self._explore()
            self._verify()
        run = open_run(self.ledger.folder)
        count = len(run.records)
        return Swept(run, self.ended or f"target reached: {count} {'design has' if count == 1 else 'designs have'} a record")

    def _greet(self) -> None:
        known, waiting = len(self.ledger.records), len(self.waiting)
        self.show.say(
            f"{self.study.name}: {self.sampling.size:,} designs in the space, {self.target} wanted, {self.workers.jobs} jobs"
        )
        self.show.say(f"figures by {self.goals.judge.name}")
        if known or waiting:
            self.show.say(f"going on: {known} records kept, {waiting} unfinished trials begin again")

    def _explore(self) -> None:
        """Keep one batch per worker under way: while one is evaluated, another is trained."""
        while True:
            while self._under_way <= (self.workers.jobs - 1) * self.batch + self.workers.jobs:
                batch = self._ask()
                if not batch:
                    break
                self._prepare(batch)
            if not self.preparing and not self.running:
                return
            done, _ = wait([*self.preparing, *self.running], timeout=0.5, return_when=FIRST_COMPLETED)
            self.show.busy(busy.told(self.ledger.folder))
            for future in done:
                if future in self.preparing:
                    self._prepared(future)
                else:
                    self._finish(future)

    @property
    def _under_way(self) -> int:
        return len(self.running) + sum(len(batch) for batch, *_ in self.preparing.values())

    def _ask(self) -> list[Asked]:
        """The next batch: unfinished trials first, then the study's own designs, then the sampler's; [] at the end."""
        old: list[Asked] = []
        new: list[Design] = []
        networks: set[object] = set()
        most = self.batch if self.sampling.learns else self.batch * VARIANTS
        while len(old) + len(new) < most and len(networks) < self.batch:
            if self.waiting:
                old.append(self.waiting.popleft())
                networks.add(network(old[-1].design))
                continue
            design = self._next(len(old) + len(new))
            if design is None:
                break
            new.append(design)
            networks.add(network(design))
        values, first = self.study.space.values, self.ledger.next_trial
        begun = self.ledger.ask(*((trial, design, values(design) or {}) for trial, design in enumerate(new, first)))
        return old + begun

    def _next(self, more: int) -> Design | None:
        """A new design where `more` are about to be begun already; None where there is to be none, and why."""
        if len(self.ledger.records) + self._under_way + more >= self.target:
            return None
        if self.deadline is not None and time.monotonic() > self.deadline:
            self.ended = f"time is up: {self.options.hours:g} hours"
            return None
        design = self._own() or self.sampling.ask()
        if design is None:
            self.ended = f"space exhausted: {self.sampling.seen} of {self.sampling.size} designs"
        return design

    def _own(self) -> Design | None:
        while self.first:
            design = self.first.popleft()
            if not self.sampling.knows(design):
                self.sampling.note(design)
                return design
        return None

    def _prepare(self, batch: list[Asked]) -> None:
        """Have the batch's networks trained together; where there are only a few, each trial trains its own."""
        designs = networks_of(batch)
        if len(designs) < FEWEST or not isinstance(self.study.workload, Workload):
            self._submit_all(batch)
            return
        limit = self.study.timeout_s * len(designs)
        future = self.workers.submit(worker.together, designs, self.at_once, timeout_s=None if math.isinf(limit) else limit)
        self.preparing[future] = (batch, self.at_once, time.monotonic())

    def _prepared(self, future: Future[Any]) -> None:
        """Evaluate a batch whose networks are trained; one that its worker did not survive is trained in halves."""
        batch, at_once, start = self.preparing.pop(future)
        designs = len(networks_of(batch))
        try:
            found: Prepared = outcome(future, self.study.timeout_s * designs)
        except StageFailed as error:
            busy.forget(self.ledger.folder)
            self.show.say(f"{designs} networks could not be trained together ({error.kind}: {error.message}); halves are tried")
            self._halve(batch, min(at_once or designs, designs))
            return
        self.show.prepared(found, time.monotonic() - start)
        self._submit_all(batch)

    def _halve(self, batch: list[Asked], at_once: int) -> None:
        """Train a batch in halves, with half as many networks at once as have been too many; later batches are as small."""
        fewer = max(1, at_once // 2)
        self.at_once = min(self.at_once or fewer, fewer)
        self.batch = max(1, min(self.batch, len(networks_of(batch)) // 2))
        for half in halves(batch):
            self._prepare(half)

    def _submit_all(self, batch: list[Asked]) -> None:
        for asked in leaders_first(batch):
            self._submit(asked, self.at_once)

    def _submit(self, asked: Asked, at_once: int | None) -> None:
        future = self.workers.submit(worker.evaluate, asked.trial, asked.design, at_once, timeout_s=self.timeout_s)
        self.running[future] = asked

    def _finish(self, future: Future[Any]) -> None:
        asked = self.running.pop(future)
        record = self._record(future, asked)
        attempt = self.attempts[asked.trial] = self.attempts.get(asked.trial, 0) + 1
        if record.failure is not None and record.failure.passing and attempt < ATTEMPTS:
            self.show.say(
                f"trial {asked.trial}: {record.failure.kind} ({record.failure.message.splitlines()[0]}); tried once more"
            )
            # whatever killed a worker: libraries abort where they are refused memory
            self._submit(asked, 1 if record.failure.kind in ("memory", "crash") else self.at_once)
            return
        self.ledger.finish(record)
        self.sampling.tell(record)
        self.show.record(record)
        self.failures.append(record.failure.kind if record.failure is not None and record.failure.passing else "")
        if len(self.failures) == IN_A_ROW and len(set(self.failures)) == 1 and self.failures[0]:
            assert record.failure is not None
            kind = record.failure.kind
            raise DseError(
                f"stopped: {IN_A_ROW} trials in a row failed with {kind!r}, the machine's fault and not the designs': "
                f"{record.failure.message}\nMend that, then run the same command with --retry-failed {kind}."
            )

    def _record(self, future: Future[Any], asked: Asked) -> Record:
        try:
            found: Record = outcome(future, self.timeout_s)
        except StageFailed as error:
            failure = Failure("worker", error.kind, error.message, error.log)
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            return Record(asked.trial, asked.design, failure=failure, finished=now)
        return found

    def _verify(self) -> None:
        """Emulate every design of any judge's front as it is built; one that turns out wrong leaves it, others may enter.

        Where the machine fails, a design is tried once more.
        """
        tried: Counter[int] = Counter()
        while True:
            run = replace(open_run(self.ledger.folder), records=tuple(self.ledger.records.values()))
            unproven = {s.record.trial: s.record for judge in judges(run) for s in view(run, judge.name).unproven}
            open_ones = [record for trial, record in unproven.items() if tried[trial] < ATTEMPTS]
            if not open_ones:
                return
            self.show.phase("emulating the front as built", 0, len(open_ones))
            futures = {self.workers.submit(worker.verify, r, timeout_s=self.study.timeout_s): r for r in open_ones}
            for future, record in futures.items():
                tried[record.trial] += 1
                self._verified(future, record, last=tried[record.trial] == ATTEMPTS)
                self.show.advance()

    def _verified(self, future: Future[Any], record: Record, *, last: bool) -> None:
        try:
            measurements, failure = outcome(future, self.study.timeout_s)
        except StageFailed as error:
            measurements, failure = (), Failure("verify", error.kind, error.message, error.log)
        if failure is not None and failure.passing:
            then = "the same command tries again" if last else "tried once more"
            self.show.say(f"trial {record.trial} could not be emulated as built ({failure.message}); {then}")
            return
        if failure is not None:
            self.show.say(f"trial {record.trial} left the front: {failure.message}")
        self.ledger.add(record.trial, measurements, failure)

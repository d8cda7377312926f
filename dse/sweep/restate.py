"""Another estimate for the records that are there, so that one study never mixes two judges."""

from __future__ import annotations

from rich.console import Console
from rich.progress import track

from dse import ladder
from dse.errors import UsageError
from dse.metrics import Judge
from dse.record import Record
from dse.store import Store
from dse.study import Study
from dse.sweep.ledger import Ledger


def restatable(before: Judge, now: Judge) -> bool:
    """True where the judge has changed from one estimate to another: figures that cost milliseconds each."""
    return before != now and before.level == now.level == "estimated"


def restate(study: Study, ledger: Ledger, store: Store, console: Console | None) -> int:
    """Have the study's estimate judge every record that it has not judged yet; how many there were.

    The figures of the estimate before stay in the records, as another judge's. UsageError, before anything is written, where
    the store no longer holds a design's network.
    """
    due = [record for record in ledger.records.values() if _due(record, study.judge)]
    gone = [str(r.trial) for r in due if ladder.network_of(r, store) is None]
    if gone:
        raise UsageError(
            f"{ledger.folder}: trials {', '.join(gone)} cannot be estimated again by {study.judge.name}: {store.folder} "
            "no longer holds what they are built of. Use another name or --root for a new sweep."
        )
    rungs = ladder.rungs(study.synthesizer)
    shown = due if console is None else track(due, "estimating again", console=console, transient=True)
    for record in shown:
        told = ladder.climb(ladder.Task(record, store, rungs, cosim=False, clock_ns=study.fixed_clock_ns))
        _keep(ledger, record.trial, told)
    return len(due)


def _due(record: Record, judge: Judge) -> bool:
    """Converted, not given up, and neither judged nor refused by this judge."""
    known = judge in record.judges or any(refusal.judge == judge for refusal in record.refusals)
    return record.failure is None and not record.pruned and "convert" in record.entries and not known


def _keep(ledger: Ledger, trial: int, told: ladder.Told) -> None:
    if told.measurements:
        ledger.add(trial, told.measurements, None)
    if told.refusal is not None:
        ledger.refuse(trial, told.refusal)

"""Where what a record speaks of lies: its files in the store, its log, and the command that makes its design again."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from dse.record import Failure, Record
from dse.run import Run


def files_of(run: Run, record: Record) -> dict[str, Path | None]:
    """The store's folder of each stage, None where it is gone; also of figures that were added later."""
    store = run.folder.resolve().parent / "store"
    named = [(stage, stage, key) for stage, key in record.entries.items()]
    for found in record.measurements:
        source = found.source
        mark = "" if found.judge is None else f" ({source.level}, {source.tool} {source.version})"
        named.append((f"{source.stage}{mark}", source.stage, source.key))
    for refusal in record.refusals:
        judge = refusal.judge
        named.append((f"{refusal.failure.stage} ({judge.level}, failed)", refusal.failure.stage, refusal.key))
    known: dict[str, tuple[str, str]] = {}
    for name, stage, key in named:
        # keys are hex digits; anything else in a record is not a path to follow
        if key.isalnum() and stage.isidentifier() and (name == stage or (stage, key) not in known.values()):
            known[name] = (stage, key)
    return {name: next(iter(sorted((store / stage).glob(f"*/{key}"))), None) for name, (stage, key) in known.items()}


def log_of(run: Run, failure: Failure) -> tuple[Path | None, str]:
    """A failure's log: its file, if it is one below the run's root, and the text."""
    root = run.folder.resolve().parent
    path = (root / failure.log).resolve() if failure.log and "\n" not in failure.log and len(failure.log) < 1000 else None
    if path is not None and path.is_relative_to(root) and path.is_file():
        return path, path.read_text(errors="replace")
    return None, failure.log


def repeat(run: Run, record: Record) -> str:
    """The command that makes this design again, in a root of its own, from the study's file as it was changed."""
    given = record.design.knobs
    free = [name for name, values in run.study.get("asked", {}).get("space", {}).items() if len(values) > 1]
    knobs = {name: given.get(name, given.get(name.partition(".")[0])) for name in free}
    origin = run.study.get("origin", "dse run STUDY.py")
    return f"{origin} --root again --trials 1 --set {shlex.quote('first=' + json.dumps([knobs]))}"

"""Many designs: ask, evaluate, tell, and start again where a run was stopped."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import dse
from dse import worker
from dse.design import Design
from dse.errors import UsageError
from dse.executors import Workers, default_jobs, outcome
from dse.journal import only_runner
from dse.metrics import Judge
from dse.record import FORMAT
from dse.run import STUDY_FILE, Run, open_run
from dse.store import Store
from dse.study import Study
from dse.sweep.ledger import Ledger, differences, write_study
from dse.sweep.loop import Sweeping
from dse.sweep.options import Options, Swept
from dse.sweep.restate import restatable, restate
from dse.workload import Workload

__all__ = ["LOG_FILE", "Options", "Swept", "explore", "logged"]

LOG_FILE = "sweep.log"

log = logging.getLogger(__name__)


def explore(study: Study, options: Options | None = None) -> Swept:
    """Evaluate designs of the study until the target number have a record, then emulate the front as it is built.

    Results lie in `ROOT/<study>/`; the same call goes on where an earlier one was stopped. Raises UsageError where the
    study cannot be swept or differs from the one in that folder, DseError where the machine keeps failing, and
    KeyboardInterrupt after a clean end on Ctrl-C.
    """
    options = options or Options()
    folder = options.folder / study.name
    store = Store(options.folder, frozenset(options.retry_failed))
    store.prepare()
    folder.mkdir(parents=True, exist_ok=True)
    with only_runner(folder, "run"), logged(folder / LOG_FILE):
        ledger, study = Ledger(folder), _as_begun(study, folder)
        jobs = min(options.jobs or default_jobs(), max(1, options.trials or study.trials))
        with Workers(study, store, jobs, folder / LOG_FILE) as workers:
            with options.console.status("loading the data and checking the tools ...") if not options.quiet else nullcontext():
                facts = _facts(workers, study)
            resolved = replace(study, space=study.space.resolved(facts.layers))
            first = _first(resolved)
            _settle(resolved, facts, ledger, store, options)
            return Sweeping(resolved, options, ledger, workers, first).go()


def _facts(workers: Workers, study: Study) -> worker.Facts:
    """What a look at data and model tells, once it is proved that this machine can do what a trial needs; DseError otherwise.

    Another worker trains meanwhile what all designs begin from. What is wrong with that, the trials will say.
    """
    facts: worker.Facts = outcome(workers.submit(worker.look), None)
    proof = workers.submit(worker.prove)
    if workers.jobs > 1:
        workers.submit(worker.begin, timeout_s=study.timeout_s)
    outcome(proof, None)
    return facts


def _as_begun(study: Study, folder: Path) -> Study:
    """The study with its networks trained one by one where its sweep was begun so, as all were once.

    Trained together they would have other weights than those that the records' figures are of.
    """
    workload = study.workload
    if not isinstance(workload, Workload) or not workload.training.together or not (folder / STUDY_FILE).exists():
        return study
    if "together" in open_run(folder).study["asked"]["workload"].get("training", {}):
        return study
    log.warning("This sweep was begun with networks trained one by one; it goes on so.")
    return replace(study, workload=replace(workload, training=replace(workload.training, together=False)))


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Write what this process logs to the sweep's file, where the workers write too."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(message)s"))
    root = logging.getLogger("dse")
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()


def _first(study: Study) -> list[Design]:
    """The study's own designs; UsageError where one is none of its space, before anything of the study is kept."""
    found = []
    for number, values in enumerate(study.first, 1):
        try:
            found.append(study.space.design(values))
        except UsageError as error:
            raise UsageError(f"design {number} of first=: {error}") from error
    return found


def _settle(study: Study, facts: worker.Facts, ledger: Ledger, store: Store, options: Options) -> None:
    """Keep the study beside its records, which its own judge has judged; UsageError where they are another study's."""
    found_out = {"data": facts.data, "model": dict(facts.models)} | ({"scores": dict(facts.scores)} if facts.scores else {})
    asked = json.loads(json.dumps(study.as_json() | found_out, default=str))
    path = ledger.folder / STUDY_FILE
    now = {
        "v": FORMAT,
        "name": study.name,
        "dse": dse.__version__,
        "goals": study.goals.as_json(),
        "asked": asked,
        "facts": facts.as_json(),
        "trials": options.trials or study.trials,
        "sampler": study.sampler,
        "seed": study.seed,
        "origin": options.origin,
    }
    run = open_run(ledger.folder) if path.exists() else None
    if run is not None and (run.asked or run.records):  # a study of which nothing was tried may still be changed
        _check_same(run, study, asked, extend=options.extend)
        if run.goals.judge != study.judge:
            _rejudge(run.goals.judge, study, ledger, store, options)
    write_study(ledger.folder, now)


def _check_same(run: Run, study: Study, asked: dict[str, Any], *, extend: bool) -> None:
    """UsageError where the run's study differs from this one in what `extend`, or another estimate, does not admit."""
    before = run.study["asked"]
    other = restatable(run.goals.judge, study.judge)
    known = {name: digest for name, digest in asked["model"].items() if name in before["model"] or not extend}
    found = differences(before, {**asked, "model": known})
    found = [line for line in found if not (other and line.startswith("synthesizer."))]
    free = [line for line in found if line.startswith(("space.", "first"))]
    wider = all(set(values) <= set(asked["space"].get(knob, ())) for knob, values in before["space"].items())
    if found and not (extend and len(free) == len(found) and wider):
        help_is = ", or --extend for a wider space" if not extend and len(free) == len(found) else ""
        advice = f"Use another name or --root for a new sweep{help_is}."
        raise UsageError("\n  ".join([f"{run.folder} holds the sweep of another study:", *found]) + f"\n{advice}")


def _rejudge(before: Judge, study: Study, ledger: Ledger, store: Store, options: Options) -> None:
    if not restatable(before, study.judge):
        raise UsageError(
            f"{ledger.folder} is judged by {before.name}, here it would be {study.judge.name}: figures of two judges never "
            "stand on one front. Use another name or --root for a new sweep; `dse synth` adds a tool's figures to this one."
        )
    count = restate(study, ledger, store, None if options.quiet else options.console)
    if not options.quiet:
        options.console.print(
            f"{count} records, judged by {before.name} until now, are estimated again.",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )

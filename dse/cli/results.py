"""`dse front` and `dse status`: what a sweep has found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from dse.cli.arguments import AsJson, Folder, Folders, JudgeOption
from dse.cli.terminal import Sheet, say, say_json

if TYPE_CHECKING:
    from dse.listing import Listing
    from dse.run import Run
    from dse.view import View


def front(folders: Folders, judge: JudgeOption = "", as_json: AsJson = False) -> None:
    """List the designs that no other feasible design beats in every objective, the best in the first objective first.

    The highlighted row is the knee: where the next bit of one objective begins to cost much of the others. Figures are of
    one judge; other judges, such as a vendor's synthesis of some of the designs, have fronts of their own. Several folders,
    of the same data, split, objectives and judge, have one front: a network and boosted trees, for instance.

    \b
    Examples:
      dse front runs/digits
      dse front runs/digits --judge vitis
      dse front runs/breast_cancer_mlp runs/breast_cancer_bdt
      dse front runs/digits --json | jq '.front[].trial'
    """
    from dse.export import describe
    from dse.listing import headline
    from dse.run import open_run
    from dse.view import coverage, view

    if len(folders) > 1:
        show_joint([open_run(folder) for folder in folders], judge, as_json=as_json)
        return
    run = open_run(folders[0])
    if not as_json:
        show_front(run, Console(), judge)
        return
    seen = view(run, judge)
    knee = None if seen.knee is None else seen.knee.record.trial
    found = [describe(standing, seen.judge) for standing in seen.front]
    designs = {known.name: count for known, count in coverage(run).items()}
    head = {"study": run.name, "judge": seen.judge.name, "designs_with_figures": designs}
    say_json({**head, "headline": headline(seen), "knee": knee, "front": found})


def show_joint(runs: list[Run], judge: str, *, as_json: bool) -> None:
    """Print the common front of several runs; UsageError where their figures cannot be compared."""
    from dse.export import describe, figure
    from dse.joint import joint
    from dse.listing import figure_text, footnotes

    found = joint(runs, judge)
    said = found.goals.judge
    if as_json:
        rows = [{"study": name, **describe(standing, said)} for name, standing in found.front]
        say_json({"studies": [run.name for run in runs], "judge": said.name, "front": rows})
        return
    console = Console()
    share = {seen.name: sum(name == seen.name for name, _ in found.front) for seen in found.views}
    told = ", ".join(f"{count} of {name}" for name, count in share.items())
    say(console, f"{len(found.front)} designs on the common front ({told}), judged by {said.name}")
    limited = (limit.metric for limit in found.goals.limits)
    metrics = list(dict.fromkeys([*(objective.metric for objective in found.goals.objectives), *limited]))
    cells = []
    for name, standing in found.front:
        stated = [(metric, standing.record.measurement(metric, said)) for metric in metrics]
        figures = ["" if m is None else figure_text(m.metric(metric), figure(metric, m)) for metric, m in stated]
        knobs = ", ".join(f"{knob} {value}" for knob, value in standing.record.design.knobs.items())
        proof = "emulated" if standing.as_built else "not yet"
        cells.append([name, str(standing.record.trial), *figures, proof, knobs])
    heads = ["study", "trial", *(f"{m}\n{found.goals.metric(m).unit}" for m in metrics), "as built", "knobs"]
    if cells:
        Sheet(heads, cells, numbers=list(range(1, 2 + len(metrics)))).show(console)
        for line in footnotes(standing.record for _, standing in found.front):
            say(console, line)


def show_front(run: Run, console: Console, judge: str = "") -> None:
    """Print the front as a table, or why there is none; UsageError for an unknown judge."""
    from dse.listing import bounds_line, coverage_lines, footnotes, front_listing, headline
    from dse.view import view

    seen = view(run, judge)
    say(console, f"{run.name}, judged by {seen.judge.name}")
    for line in coverage_lines(run, seen.judge):
        say(console, line)
    say(console, headline(seen), style="" if seen.front else "yellow")
    if not seen.front:
        return
    listing = front_listing(seen)
    sheet = _sheet(listing, seen)
    (sheet if sheet.fits(console) else _narrow(listing, sheet)).show(console)
    if listing.common:
        say(console, "The same in all: " + ", ".join(f"{name} {value}" for name, value in listing.common.items()) + ".")
    for line in (bounds_line(seen), *footnotes(standing.record for standing in seen.front)):
        if line:
            say(console, line)


def _sheet(listing: Listing, seen: View) -> Sheet:
    heads = [f"{column.title}\n{column.unit}" if column.unit else column.title for column in listing.columns]
    knee = [n for n, standing in enumerate(seen.front) if standing is seen.knee]
    numbers = [n for n, column in enumerate(listing.columns) if column.metric is not None or n == 0]
    return Sheet(heads, listing.texts, knee, numbers)


def _narrow(listing: Listing, sheet: Sheet) -> Sheet:
    """All knobs in one column, for terminals that have no room for one each."""
    first = len(sheet.numbers)
    names = [column.title for column in listing.columns[first:]]
    rows = [
        [*row[:first], ", ".join(f"{name} {text}" for name, text in zip(names, row[first:], strict=True) if text)]
        for row in sheet.rows
    ]
    return replace(sheet, heads=[*sheet.heads[:first], "knobs"], rows=rows)


def status(folder: Folder, as_json: AsJson = False) -> None:
    """Say how far a sweep has come: designs by state, the best so far, failures with their messages, time, disk space.

    Works while the sweep is running and never disturbs it.

    \b
    Examples:
      dse status runs/digits
      watch dse status runs/digits
    """
    from dse.run import open_run
    from dse.summary import status as summarise
    from dse.view import view

    run = open_run(folder)
    seen = view(run)
    store = run.folder.resolve().parent / "store"
    found = summarise(run, seen) | {"store": _store(store), "work_seconds": _work(run, store)}
    if as_json:
        say_json(found)
    else:
        _show_status(Console(), run, seen, store)


def _store(store: Path) -> dict[str, str | int] | None:
    from dse.cleaning import used_bytes

    return {"folder": str(store), "bytes": used_bytes(store)} if store.is_dir() else None


def _work(run: Run, store: Path) -> dict[str, float]:
    from dse import journal
    from dse.summary import work

    return work(run, journal.read(store / "made.jsonl"))


def _show_status(console: Console, run: Run, seen: View, store: Path) -> None:
    from dse.listing import STATE_WORDS, coverage_lines, duration_text, figure_text, headline
    from dse.summary import best, grades, stage_times

    say(console, f"{run.name}, judged by {seen.judge.name}")
    for line in coverage_lines(run, seen.judge):
        say(console, line)
    say(console, headline(seen), style="" if seen.front else "yellow")
    states = ", ".join(f"{count} {STATE_WORDS[state]}" for state, count in seen.counts.items() if count)
    say(console, f"finished {len(seen.standings)}{f' ({states})' if states else ''}")
    graded = grades(seen)
    if graded:
        say(console, "grades of the estimate: " + ", ".join(f"{name} {count}" for name, count in graded.items()))
    if run.running:
        trials = tuple(asked.trial for asked in run.running)
        since = min(asked.time for asked in run.running)
        say(console, f"begun and not finished: trial {_few(trials)}, the first at {since}")
    rows = [
        [name, figure_text(seen.goals.metric(name), value), seen.goals.metric(name).unit, str(standing.record.trial)]
        for name, (standing, value) in best(seen).items()
    ]
    if rows:
        say(console, "")
        Sheet(["best so far", "", "", "trial"], rows, numbers=[1, 3]).show(console)
    _show_failures(console, run, seen)
    times = [
        [stage, duration_text(t.total), "-" if t.typical is None else duration_text(t.typical), str(t.trials)]
        for stage, t in stage_times(seen).items()
    ]
    if times:
        say(console, "")
        Sheet(["stage", "total", "median", "trials that it took any time in"], times, numbers=[1, 2, 3]).show(console)
    spent = _work(run, store)
    if spent:
        total = sum(spent.values())
        shares = ", ".join(f"{name} {seconds / total:.0%}" for name, seconds in spent.items())
        say(console, f"\n{duration_text(total)} of work, each thing counted once: {shares}")
    disk = _store(store)
    if disk is not None:
        say(console, f"\nstore: {int(disk['bytes']) / 1e6:,.1f} MB in {store}")


def _show_failures(console: Console, run: Run, seen: View) -> None:
    """What failed, and what a judge has refused; nothing where nothing did."""
    from dse.summary import failures, refusals

    failed = [[f.failure.kind, f.failure.stage, _few(f.trials), _line(f.failure.message)] for f in failures(seen)]
    if failed:
        say(console, "")
        Sheet(["failures", "in", "trials", "message"], failed).show(console)
    refused = [[r.judge.name, r.failure.kind, _few(r.trials), _line(r.failure.message)] for r in refusals(run)]
    if refused:
        say(console, "")
        Sheet(["no figures of", "for", "trials", "message"], refused).show(console)


def _few(trials: tuple[int, ...]) -> str:
    return ", ".join(str(trial) for trial in trials[:6]) + (f" and {len(trials) - 6} more" if len(trials) > 6 else "")


def _line(message: str) -> str:
    lines = message.strip().splitlines() or [""]
    return lines[0][:300] + (" ..." if len(lines) > 1 or len(lines[0]) > 300 else "")


def write_page(run: Run, path: Path, judge: str = "") -> None:
    """Write the run as one HTML file; DseError where it cannot be written, UsageError for an unknown judge."""
    from dashboards.page import render
    from dse.publish import publish

    publish(path, render(run, judge).encode())

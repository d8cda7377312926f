"""`dse show`: everything that is known of one design."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from dse.cli.arguments import AsJson, Folder
from dse.cli.terminal import Sheet, say, say_json
from dse.evidence import files_of, log_of, repeat
from dse.listing import STATE_WORDS, figure_text, footnotes
from dse.metrics import METRICS

if TYPE_CHECKING:
    from dse.metrics import Measurement
    from dse.record import Failure, Record
    from dse.run import Run
    from dse.view import Standing

#: Lines of a log that are printed.
TAIL = 40


def show(
    folder: Folder,
    trial: Annotated[int, typer.Argument(help="A trial's number, as `dse front` lists it.", metavar="TRIAL")],
    as_json: AsJson = False,
) -> None:
    """Tell all that is known of one design: knobs, what was built, every figure with its source, its failure, its files.

    \b
    Examples:
      dse show runs/digits 17
      dse show runs/digits 17 --json
    """
    from dse.run import open_run
    from dse.view import view

    run = open_run(folder)
    record = run.record(trial)
    standing = next(s for s in view(run).standings if s.record.trial == trial)
    if as_json:
        say_json(_described(run, standing))
        return
    console = Console()
    _show_head(console, run, standing)
    _show_effective(console, record)
    _show_figures(console, run, record)
    if record.failure is not None:
        _show_failure(console, run, record.failure)
    for refusal in record.refusals:
        say(console, f"\nno figures of {refusal.judge.name}:")
        _show_failure(console, run, refusal.failure)
    _show_files(console, run, record)


def _described(run: Run, standing: Standing) -> dict[str, Any]:
    from dse.export import describe

    record, files = standing.record, files_of(run, standing.record)
    found = describe(standing, run.goals.judge)
    layers = [
        {"source": asdict(m.source), "layers": {name: dict(row) for name, row in m.layers.items()}}
        for m in record.measurements
        if m.layers
    ]
    there = {stage: str(path) for stage, path in files.items() if path is not None}
    return found | {"layers": layers, "files": there, "note": " ".join(footnotes([record])), "repeat": repeat(run, record)}


def _show_head(console: Console, run: Run, standing: Standing) -> None:
    record = standing.record
    state = f"{STATE_WORDS[standing.state]}{', on the front' if standing.on_front else ''}"
    say(console, f"{run.name}, trial {record.trial}: {state}", style="bold")
    for text, over in standing.shortfalls.items():
        if over > 0:
            say(console, f"violates {text} by {100 * over:.3g} %", style="yellow")
    if record.pruned:
        say(console, f"stopped early: no hope of {record.pruned}", style="yellow")
    say(console, f"design {record.design.digest}{f', finished {record.finished}' if record.finished else ''}\n")
    Sheet(["knob", "asked"], [[name, str(value)] for name, value in record.design.knobs.items()]).show(console)


def _show_effective(console: Console, record: Record) -> None:
    """What was built: what holds for all, then a row per layer."""
    if not record.effective:
        return
    whole = {name: value for name, value in record.effective.items() if "." not in name}
    layers: dict[str, dict[str, str]] = {}
    for name, value in record.effective.items():
        knob, dot, layer = name.partition(".")
        if dot:
            layers.setdefault(layer, {})[knob] = str(value)
    say(console, "\nbuilt: " + ", ".join(f"{name} {value}" for name, value in whole.items()))
    if layers:
        knobs = list(dict.fromkeys(knob for row in layers.values() for knob in row))
        rows = [[layer, *(row.get(knob, "") for knob in knobs)] for layer, row in layers.items()]
        Sheet(["layer", *knobs], rows).show(console)


def _show_figures(console: Console, run: Run, record: Record) -> None:
    from dse.export import elsewhere, stated

    heads = ["figure", "value", "unit", "bounds", "grade", "tool", "level", "judge"]
    found = stated(record, run.goals.judge)
    if found:
        say(console, f"\nhardware judged by {run.goals.judge.name}")
        Sheet(heads, [_figure(name, m) for name, m in found.items()], numbers=[1]).show(console)
        for line in footnotes([record]):
            say(console, line)
        _show_layers(console, run, record)
    for judge, other in elsewhere(record, run.goals.judge).items():
        say(console, f"\nby another judge, {judge.name}:")
        Sheet(heads, [_figure(name, other[name]) for name in METRICS if name in other], numbers=[1]).show(console)


def _show_layers(console: Console, run: Run, record: Record) -> None:
    """What the study's judge states per layer, where it does; what it does not state of one is an empty cell."""
    for measurement in record.measurements:
        if measurement.judge != run.goals.judge or not measurement.layers:
            continue
        names = [name for name in METRICS if any(name in row for row in measurement.layers.values())]
        rows = [
            [layer, *(figure_text(METRICS[name], row[name]) if name in row else "" for name in names)]
            for layer, row in measurement.layers.items()
        ]
        say(console, "")
        Sheet(["figures per layer", *names], rows, numbers=range(1, len(names) + 1)).show(console)


def _figure(name: str, measurement: Measurement) -> list[str]:
    metric, source = measurement.metric(name), measurement.source
    bounds = measurement.intervals.get(name)
    return [
        name,
        figure_text(metric, measurement.values[name]),
        metric.unit,
        "" if bounds is None else " to ".join(figure_text(metric, bound) for bound in bounds),
        measurement.grades.get(name, ""),
        f"{source.tool} {source.version}",
        source.level,
        "" if measurement.judge is None else measurement.judge.synthesizer,
    ]


def _show_failure(console: Console, run: Run, failure: Failure) -> None:
    say(console, f"\nfailed in {failure.stage} ({failure.kind}): {failure.message}", style="red")
    path, text = log_of(run, failure)
    if path is not None:
        say(console, f"log: {path}")
    if text.strip():
        say(console, "\n".join(f"  {line}" for line in text.rstrip().splitlines()[-TAIL:]))


def _show_files(console: Console, run: Run, record: Record) -> None:
    files = files_of(run, record)
    if files:
        say(console, "")
        rows = [[stage, "not there (made when it is needed)" if path is None else str(path)] for stage, path in files.items()]
        Sheet(["stage", "files"], rows).show(console)
    say(console, f"to repeat: {repeat(run, record)}")

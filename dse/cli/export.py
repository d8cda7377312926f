"""`dse export`: files for other programs, for colleagues and for papers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from dse.cli.arguments import Folder, JudgeOption
from dse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dse.run import Run
    from dse.view import Standing, View

Form = Literal["csv", "json", "parquet", "html", "png", "svg"]
Picture = Literal["front", "hypervolume", "time", "importance", "slices", "stages", "failures", "layers", "bits", "coordinates"]
#: File names in the sweep's folder where --out is not given.
NAMES = {"csv": "results", "json": "results", "parquet": "results", "html": "index"}


def export(
    folder: Folder,
    form: Annotated[Form | None, typer.Option("--format", help="Default: by the ending of PATH, else csv.")] = None,
    judge: JudgeOption = "",
    out: Annotated[Path | None, typer.Option(metavar="PATH", help="Where to; default: a file in DIR.")] = None,
    axes: Annotated[
        str, typer.Option(metavar="X,Y", help="Figures of the front, or `all` for all pairs; of slices: one.")
    ] = "",
    picture: Annotated[Picture, typer.Option(help="What a png or svg shows.")] = "front",
    trial: Annotated[int | None, typer.Option(metavar="N", help="The design of `layers`, `bits`; default: the knee.")] = None,
) -> None:
    """Write every record as a table, the run as one page, or one of its figures as a picture.

    csv, json and parquet hold one row per trial: knobs as asked and as built, every figure with its source and judge,
    failures. A figure that nobody has stated is an empty cell. html is one file that works offline. parquet needs
    `pip install "dse[parquet]"`, png and svg `pip install "dse[image]"`. Pictures: the front; hypervolume over trials or time;
    the importance of each knob for each objective; an objective along each knob (slices); time per stage; failures by kind;
    one design's figures per layer, or its bits; all knobs and objectives as parallel coordinates.

    \b
    Examples:
      dse export runs/digits
      dse export runs/digits --format html
      dse export runs/digits --out front.svg --axes dsp,accuracy
      dse export runs/digits --out knobs.svg --picture importance
      dse export runs/digits --format csv --judge vitis --out vitis.csv
    """
    from dse.listing import coverage_lines
    from dse.publish import publish
    from dse.run import open_run
    from dse.view import view

    run = open_run(folder)
    seen = view(run, judge)
    form = form or _form(out)
    drawn = form in ("png", "svg")
    if (axes or picture != "front" or trial is not None) and not drawn:
        name = "--axes" if axes else "--picture" if picture != "front" else "--trial"
        raise UsageError(f"{name} is for png and svg; {form} holds all figures.")
    path = out or folder / f"{picture if drawn else NAMES[form]}{_mark(run, seen)}.{form}"
    publish(path, _content(run, seen, form) if not drawn else _drawn(seen, form, picture, axes, trial))
    typer.echo(f"{path}: {len(seen.standings)} trials, judged by {seen.judge.name}")
    for line in coverage_lines(run, seen.judge):
        typer.echo(line)


def _form(out: Path | None) -> Form:
    if out is None:
        return "csv"
    found: dict[str, Form] = {f".{form}": form for form in get_args(Form)}
    if out.suffix.lower() not in found:
        raise UsageError(f"--out {out}: the ending must be one of {', '.join(found)}, or give --format.")
    return found[out.suffix.lower()]


def _mark(run: Run, seen: View) -> str:
    """Another judge's files do not replace those of the study's judge: `-vitis-2023.2`."""
    if seen.judge == run.goals.judge:
        return ""
    words = f"-{seen.judge.synthesizer}-{seen.judge.version}-{seen.judge.level}"
    return re.sub(r"[^A-Za-z0-9.]+", "-", words)


def _content(run: Run, seen: View, form: Form) -> bytes:
    if form == "html":
        from dashboards.page import render

        return render(run, seen.judge.name).encode()
    from dse.export import as_csv, as_json, as_parquet

    return {"csv": as_csv, "json": as_json, "parquet": as_parquet}[form](seen)


def _drawn(seen: View, form: Form, picture: Picture, axes: str, trial: int | None) -> bytes:
    """One of the figures; UsageError where --axes or --trial do not go with it."""
    from dashboards.paper import draw

    if axes and picture not in ("front", "slices"):
        raise UsageError(f"--axes goes with the pictures front and slices, not with {picture}.")
    if trial is not None and picture not in ("layers", "bits"):
        raise UsageError(f"--trial goes with the pictures layers and bits, not with {picture}.")
    figure = _front(seen, axes) if picture == "front" else _other(seen, picture, axes, trial)
    return draw(figure, "png" if form == "png" else "svg")


def _front(seen: View, axes: str) -> Any:
    from dashboards.figures import front_scatter, progress, scatter_matrix

    names = [objective.metric for objective in seen.goals.objectives]
    if axes == "all" and len(names) > 1:
        return scatter_matrix(seen)
    if not axes and len(names) == 1:
        return progress(seen)
    chosen = axes.split(",") if axes else [names[1], names[0]]
    if len(chosen) != 2:
        raise UsageError(f"--axes wants two figures, such as lut,accuracy, or all (with two objectives or more); got {axes!r}.")
    x, y = (seen.goals.metric(name.strip()).name for name in chosen)
    return front_scatter(seen, x, y)


def _other(seen: View, picture: Picture, axes: str, trial: int | None) -> Any:
    from dashboards import figures
    from dashboards.importance import importance
    from dashboards.sight import look

    sight = look(seen)
    metric = seen.goals.metric(axes.strip()).name if axes else seen.goals.objectives[0].metric
    makers: dict[str, Callable[[], Any]] = {
        "hypervolume": lambda: figures.hypervolume_curves([sight]),
        "time": lambda: figures.hypervolume_curves([sight], over_time=True),
        "importance": lambda: figures.importance_map(sight, importance(sight)),
        "slices": lambda: figures.slices(sight, metric),
        "stages": lambda: figures.stage_bars(sight),
        "failures": lambda: figures.failure_bars(sight),
        "layers": lambda: figures.layer_bars(sight, [_standing(seen, trial)]),
        "bits": lambda: _bits(seen, _standing(seen, trial)),
        "coordinates": lambda: figures.parallel_lines(sight),
    }
    return makers[picture]()


def _bits(seen: View, standing: Standing) -> Any:
    from dashboards.figures import bits

    return bits(seen, standing.record.trial, standing.record.effective)


def _standing(seen: View, trial: int | None) -> Standing:
    """This trial's, or the knee's; UsageError where there is none."""
    if trial is None and seen.knee is not None:
        return seen.knee
    found = next((standing for standing in seen.standings if standing.record.trial == trial), None)
    if found is None:
        raise UsageError(
            f"--trial: there is no record of trial {trial}." if trial is not None else "no design is feasible; give --trial."
        )
    return found

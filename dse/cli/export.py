"""`dse export`: files for other programs, for colleagues and for papers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from dse.cli.arguments import Folder, JudgeOption
from dse.errors import UsageError

if TYPE_CHECKING:
    from dse.run import Run
    from dse.view import View

Form = Literal["csv", "json", "parquet", "html", "png", "svg"]
#: File names in the sweep's folder where --out is not given.
NAMES = {"csv": "results", "json": "results", "parquet": "results", "html": "index", "png": "front", "svg": "front"}


def export(
    folder: Folder,
    form: Annotated[Form | None, typer.Option("--format", help="Default: by the ending of PATH, else csv.")] = None,
    judge: JudgeOption = "",
    out: Annotated[Path | None, typer.Option(metavar="PATH", help="Where to; default: a file in DIR.")] = None,
    axes: Annotated[str, typer.Option(metavar="X,Y", help="Figures of a png or svg, or `all` for all pairs.")] = "",
) -> None:
    """Write every record as a table, the run as one page, or the front as a picture.

    csv, json and parquet hold one row per trial: knobs as asked and as built, every figure with its source and judge,
    failures. A figure that nobody has stated is an empty cell. html is one file that works offline. parquet needs
    `pip install "dse[parquet]"`, png and svg `pip install "dse[image]"`.

    \b
    Examples:
      dse export runs/digits
      dse export runs/digits --format html
      dse export runs/digits --out front.svg --axes dsp,accuracy
      dse export runs/digits --format csv --judge vitis --out vitis.csv
    """
    from dse.listing import coverage_lines
    from dse.publish import publish
    from dse.run import open_run
    from dse.view import view

    run = open_run(folder)
    seen = view(run, judge)
    form = form or _form(out)
    if axes and form not in ("png", "svg"):
        raise UsageError(f"--axes is for png and svg; {form} holds all figures.")
    path = out or folder / f"{NAMES[form]}{_mark(run, seen)}.{form}"
    publish(path, _content(run, seen, form, axes))
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


def _content(run: Run, seen: View, form: Form, axes: str) -> bytes:
    if form in ("csv", "json", "parquet"):
        from dse.export import as_csv, as_json, as_parquet

        return {"csv": as_csv, "json": as_json, "parquet": as_parquet}[form](seen)
    if form == "html":
        from dashboards.page import render

        return render(run, seen.judge.name).encode()
    return _picture(seen, "png" if form == "png" else "svg", axes)


def _picture(seen: View, form: Literal["png", "svg"], axes: str) -> bytes:
    from dashboards.figures import front_scatter, progress, scatter_matrix
    from dashboards.paper import draw

    names = [objective.metric for objective in seen.goals.objectives]
    if axes == "all" and len(names) > 1:
        return draw(scatter_matrix(seen), form)
    if not axes and len(names) == 1:
        return draw(progress(seen), form)
    chosen = axes.split(",") if axes else [names[1], names[0]]
    if len(chosen) != 2:
        raise UsageError(f"--axes wants two figures, such as lut,accuracy, or all (with two objectives or more); got {axes!r}.")
    x, y = (seen.goals.metric(name.strip()).name for name in chosen)
    return draw(front_scatter(seen, x, y), form)

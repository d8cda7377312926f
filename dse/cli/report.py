"""`dse report`: the figures of any vendor report, project folder or tree of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from dse.errors import ReportError
from dse.synth import reports
from dse.synth.reports import Report

SUFFIXES = (".rpt", ".xml")
#: An XML report begins with its root element; the big XML files of a Vivado project are not read whole for nothing.
HEAD_BYTES = 4096
COUNTS = ("bram_18k", "dsp", "ff", "lut", "uram")
#: Columns of words and their least width: these may be folded, figures never.
WORDS = {"report": 24, "kind": 10, "version": 10, "part": 10, "state": 11}
UNBOUNDED = 10_000
COLUMNS = ("report", "kind", "version", "part", "clock ns", "latency", "interval", *COUNTS, "WNS ns", "power W", "state")


@dataclass(frozen=True, slots=True)
class Reading:
    """One file: its report, or why it could not be read. `folder` is the argument it was found under, `named` that itself."""

    path: Path
    folder: Path
    named: bool
    report: Report | None = None
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        """The report's figures, or the file and its error."""
        return {"file": str(self.path), "error": self.error} if self.report is None else self.report.as_json()


def report(
    paths: Annotated[list[Path], typer.Argument(help="Reports, project folders, or trees of them.", metavar="PATH...")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read reports of Vivado HLS, Vitis HLS and Vivado: latency, resources, timing and power of each file.

    Exit code 1 where a file named here, or every file found, cannot be read.

    \b
    Examples:
      dse report old_projects/
      dse report myproject_prj/solution1/syn/report/myproject_csynth.rpt --json
    """
    readings, others = read_all(paths)
    if as_json:
        typer.echo(json.dumps([reading.as_json() for reading in readings], indent=1))
    else:
        show(readings)
    for reading in readings:
        if reading.error:
            typer.echo(f"dse: {reading.error}", err=True)
    if others:
        names = ", ".join(str(path) for path in others[:5]) + (", ..." if len(others) > 5 else "")
        typer.echo(f"dse: no figures that are known in {len(others)} of the files: {names}", err=True)
    read = [reading for reading in readings if reading.report is not None]
    if not read or any(reading.named and reading.error for reading in readings):
        if not readings:
            typer.echo(f"dse: no report in {', '.join(map(str, paths))}. They end in {' or '.join(SUFFIXES)}.", err=True)
        raise typer.Exit(1)


def read_all(paths: Sequence[Path]) -> tuple[list[Reading], list[Path]]:
    """Every report under `paths` in order, each file once; and the .rpt files of a tree that are none (XML is anything)."""
    readings: dict[Path, Reading] = {}
    others: dict[Path, Path] = {}
    for given in paths:
        for path in _files(given):
            place = path.resolve()
            if place not in readings and place not in others:
                reading = _read(path, given, named=not given.is_dir())
                if reading is None:
                    others[place] = path
                else:
                    readings[place] = reading
    return list(readings.values()), [path for path in others.values() if path.suffix.lower() == ".rpt"]


def _files(given: Path) -> Iterator[Path]:
    if not given.is_dir():
        yield given
        return
    for path in sorted(given.rglob("*")):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            yield path


def _read(path: Path, given: Path, *, named: bool) -> Reading | None:
    """None for a file of a tree that is no report; a file that was named is in error then."""
    folder = given if given.is_dir() else given.parent
    try:
        if not named and path.suffix.lower() == ".xml" and b"<profile" not in _head(path):
            return None
        text = reports.text_of(path)
        if not named and reports.recognise(text) is None:
            return None
        return Reading(path, folder, named, reports.parse(str(path), text))
    except ReportError as error:
        return Reading(path, folder, named, error=str(error))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror}.") from error


def show(readings: Sequence[Reading]) -> None:
    """One table per folder given; figures are never cut, however narrow the terminal."""
    console = Console()
    for folder in dict.fromkeys(reading.folder for reading in readings if reading.report is not None):
        rows = [
            _cells(reading.report, str(reading.path.relative_to(folder)))
            for reading in readings
            if reading.folder == folder and reading.report is not None
        ]
        used = [i for i in range(len(COLUMNS)) if any(row[i] for row in rows)]
        table = Table(box=None, title=escape(str(folder)), title_justify="left", header_style="bold")
        for i in used:
            folds = COLUMNS[i] in WORDS
            table.add_column(
                COLUMNS[i],
                justify="left" if folds else "right",
                no_wrap=not folds,
                overflow="fold",
                min_width=WORDS.get(COLUMNS[i]),
            )
        for row in rows:
            table.add_row(*(escape(row[i]) for i in used))
        least = sum(WORDS.get(COLUMNS[i]) or max(len(COLUMNS[i]), *(len(row[i]) for row in rows)) for i in used) + 2 * len(used)
        wanted = Measurement.get(console, console.options.update(width=UNBOUNDED), table).maximum
        Console(width=max(console.width, least) if console.is_terminal else wanted).print(table)


def _cells(found: Report, name: str) -> list[str]:
    clocks = (found.value("clock_target_ns"), found.value("clock_estimated_ns"))
    return [
        name,
        found.kind,
        f"{found.tool} {found.version}".strip(),
        found.part,
        _pair(*clocks, " → "),
        _range(found, "latency"),
        _range(found, "interval"),
        *(_text(found.value(count)) for count in COUNTS),
        _text(found.value("wns_ns")),
        _text(found.value("power_w")),
        found.state,
    ]


def _range(found: Report, name: str) -> str:
    """`10`, or `10-20` where minimum and maximum differ; "?" where the report says that it is unknown."""
    if f"{name}_max" not in found.figures:
        return ""
    low, high = found.value(f"{name}_min"), found.value(f"{name}_max")
    stated = f"{name}_min" in found.figures
    return (_text(high) if low == high or not stated else _pair(low, high, "-")) or "?"


def _pair(low: float | None, high: float | None, between: str) -> str:
    if low is None and high is None:
        return ""
    return f"{_text(low) or '?'}{between}{_text(high) or '?'}"


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value == int(value) and abs(value) >= 1000 else f"{value:g}"

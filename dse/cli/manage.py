"""`dse doctor` and `dse clean`."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from dse import cleaning, shell, vendor
from dse.errors import DseError, ToolNotFound
from dse.synth.open import facts as open_tools


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: a program or library, its version ("" where it is missing), what it is for, how to get it."""

    name: str
    version: str
    makes_possible: str
    how_to_get: str = ""


LIBRARIES = (
    ("tensorflow", "training"),
    ("QKeras", "quantisation-aware fine-tuning"),
    ("tensorflow-model-optimization", "pruning"),
    ("hls4ml", "HLS projects and their bit-accurate emulation"),
    ("optuna", "proposing designs"),
)
SIMULATORS = (
    ("iverilog", "DSE_IVERILOG", "-V", r"version (\d+\.\d+)"),
    ("verilator", "DSE_VERILATOR", "--version", r"Verilator (\d+\.\d+)"),
)
EXTRAS = (
    ("pyarrow", "dse export --format parquet", 'pip install "dse[parquet]"'),
    ("conifer", "boosted trees: HLS projects and their bit-accurate emulation", 'pip install "dse[trees]"'),
    ("xgboost-cpu", "training boosted trees", 'pip install "dse[trees]"'),
)


def findings() -> list[Finding]:
    """What is installed here, and what that makes possible."""
    found = [Finding("python", platform.python_version(), "everything")]
    found += [Finding(name, _installed(name), purpose, f"pip install {name}") for name, purpose in LIBRARIES]
    found.append(_compiler())
    found += [Finding(*row) for row in vendor.facts()]
    found += [Finding(*row) for row in open_tools()]
    found += [_simulator(*row) for row in SIMULATORS]
    found += [Finding(name, _installed(name), purpose, how) for name, purpose, how in EXTRAS]
    return found


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _compiler() -> Finding:
    try:
        program = shell.find("g++", "DSE_CXX", "Install it (Debian/Ubuntu: apt-get install g++)")
        version = shell.version([str(program), "-dumpfullversion"], r"(\d+\.\d+\S*)")
    except ToolNotFound as error:
        return Finding("g++", "", "compiling the emulation: nothing can be swept without it", str(error))
    return Finding("g++", version, "compiling the emulation")


def _simulator(name: str, variable: str, asking: str, pattern: str) -> Finding:
    purpose = "simulating packages of Verilog"
    try:
        program = shell.find(name, variable, f"Install it (Debian/Ubuntu: apt-get install {name})")
        return Finding(name, shell.version([str(program), asking], pattern), purpose)
    except ToolNotFound as error:
        return Finding(name, "", purpose, str(error))


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say what is installed, in which version, what that makes possible, and how to get what is missing."""
    found = findings()
    if as_json:
        typer.echo(json.dumps([{name: getattr(row, name) for name in Finding.__slots__} for row in found], indent=1))
    else:
        console = Console()
        table = Table("", "version", "for", box=None)
        for row in found:
            table.add_row(row.name, row.version or "missing", row.makes_possible, style="" if row.version else "yellow")
        console.print(table)
        for row in found:
            if not row.version:
                console.print(f"\n{row.name}: {row.how_to_get}", markup=False, highlight=False)
    if any(row.name == "g++" and not row.version for row in found):
        raise DseError("g++ is missing, so no design can be emulated. Install it (Debian/Ubuntu: apt-get install g++).")
    if sys.version_info[:2] not in {(3, 11), (3, 12), (3, 13)}:
        raise DseError(f"Python {platform.python_version()} is not supported; use 3.11, 3.12 or 3.13.")


def clean(
    folder: Annotated[Path, typer.Argument(help="The folder of a sweep.", metavar="DIR")],
    keep_front: Annotated[bool, typer.Option("--keep-front", help="Keep the files of each front's designs only.")] = False,
) -> None:
    """Give back disk space: caches and files that no record of any study in the same root names. Records always stay.

    \b
    Example:
      dse clean runs/digits --keep-front
    """
    freed = cleaning.clean(folder, keep_front=keep_front)
    typer.echo(f"{freed.bytes / 1e6:,.1f} MB freed, {freed.entries} entries removed, {freed.kept} kept.")

"""The FPGA vendor's programs: which there are, how each version is called, what their failures mean, and whose turn it is."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dse import shell
from dse.errors import StageFailed, ToolNotFound
from dse.shell import Finished, Limits, Pool
from dse.symptoms import Diagnosis, diagnose

#: What a rung leaves in its folder, and the rung above reads: reports, and the RTL (Verilog packs to a tenth).
REPORTS, RTL = "reports", "rtl.tar.gz"
#: Where a tool works; removed afterwards.
WORK = "work"
VERSION = r"\bv(\d{4}\.\d+(?:\.\d+)?)"


@dataclass(frozen=True, slots=True)
class Program:
    """One program of the vendor: `asking` makes it say its version, `call` run a Tcl script (`since` the version named)."""

    name: str
    variable: str
    tool: str
    asking: tuple[str, ...]
    call: tuple[str, ...]
    makes_possible: str
    how_to_get: str
    since: str = ""


_VITIS = "Install AMD Vitis or Vivado (amd.com, Downloads) with the parts you need, then source its settings64.sh"
#: In the order in which they are preferred. 2025 drops vitis_hls; vitis-run takes Tcl scripts since 2023.2.
HLS = (
    Program(
        "vitis-run",
        "DSE_VITIS_RUN",
        "Vitis HLS",
        ("--version",),
        ("--mode", "hls", "--tcl"),
        "dse synth --rung hls",
        _VITIS,
        "2023.2",
    ),
    Program("vitis_hls", "DSE_VITIS_HLS", "Vitis HLS", ("-version",), ("-f",), "dse synth --rung hls (up to 2024.2)", _VITIS),
    Program(
        "vivado_hls",
        "DSE_VIVADO_HLS",
        "Vivado HLS",
        ("-version",),
        ("-f",),
        "projects of hls4ml's Vivado backend; dse synth needs Vitis HLS",
        _VITIS,
    ),
)
VIVADO = Program(
    "vivado",
    "DSE_VIVADO",
    "Vivado",
    ("-version",),
    ("-mode", "batch", "-nojournal", "-nolog", "-notrace", "-source"),
    "dse synth --rung netlist|routed",
    _VITIS,
)


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that is there: its path and version."""

    program: Program
    path: Path
    version: str

    def __str__(self) -> str:
        return f"{self.program.tool} {self.version}"

    def argv(self, script: str) -> list[str]:
        """The call that runs a Tcl script."""
        return [str(self.path), *self.program.call, script]


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms tools run: limits of each run, how many at once on this machine, how long to wait for a licence.

    A run takes 2 minutes to hours, 2-16 GB of memory and 1-5 GB of disk.
    """

    limits: Limits = field(default_factory=lambda: Limits(timeout_s=4 * 3600.0, disk_bytes=5 * 10**9, grace_s=20.0))
    at_once: int = 2
    licence_wait_s: float = 3600.0
    licence_poll_s: float = 60.0


def find(program: Program) -> Tool:
    """The program with its version; ToolNotFound where it is not there, says no version, or is too old for its call."""
    path = shell.find(program.name, program.variable)
    version = shell.version([str(path), *program.asking], VERSION)
    if program.since and _number(version) < _number(program.since):
        raise ToolNotFound(f"{path} is of version {version}; it takes Tcl scripts since {program.since}.")
    return Tool(program, path, version)


def find_hls(wanted: str = "auto") -> Tool:
    """The HLS tool of this name; `auto`: one that an environment variable names, else the newest kind in PATH."""
    if wanted != "auto":
        return find(next(program for program in HLS if program.name == wanted))
    for program in sorted(HLS, key=lambda program: program.variable not in os.environ):
        if program.variable in os.environ or shutil.which(program.name):
            try:
                return find(program)
            except ToolNotFound:
                if program.variable in os.environ:
                    raise
    names = ", ".join(program.name for program in HLS)
    variables = ", ".join(program.variable for program in HLS)
    raise ToolNotFound(f"none of {names} is in PATH. Source settings64.sh, or set one of {variables} to its full path.")


def facts() -> list[tuple[str, str, str, str]]:
    """Each program: name, version ("" where it is missing), what it makes possible, how to get it.

    Any version of Vitis HLS will do: its other programs are left out where one is there, Vivado HLS where it is missing.
    """
    rows = [_fact(program) for program in HLS]
    able = any(version and program.tool == "Vitis HLS" for program, (_, version, *_) in zip(HLS, rows, strict=True))
    wanted = [not able and program.tool == "Vitis HLS" for program in HLS]
    return [row for row, missed in zip(rows, wanted, strict=True) if row[1] or missed] + [_fact(VIVADO)]


def _fact(program: Program) -> tuple[str, str, str, str]:
    try:
        return program.name, find(program).version, program.makes_possible, ""
    except ToolNotFound as error:
        return program.name, "", program.makes_possible, f"{error} {program.how_to_get}."


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def call(tool: Tool, script: str, cwd: Path, log: Path, terms: Terms) -> Finished:
    """Run a Tcl script when it is our turn; StageFailed with the kind that the log shows where it fails.

    A licence that is in use, or that a server does not give just now, is asked for again until `terms.licence_wait_s` is over.
    """
    folder = Path(tempfile.gettempdir()) / f"dse-{os.getuid()}" / tool.program.name
    deadline = time.monotonic() + terms.licence_wait_s
    while True:
        with Pool(folder, terms.at_once).slot():
            failure = _attempt(tool, script, cwd, log, terms.limits)
        if isinstance(failure, Finished):
            return failure
        if not failure.waits or time.monotonic() + terms.licence_poll_s > deadline:
            raise StageFailed(failure.kind, failure.message, shell.tail(log))
        time.sleep(terms.licence_poll_s)


def _attempt(tool: Tool, script: str, cwd: Path, log: Path, limits: Limits) -> Finished | Diagnosis:
    try:
        done = shell.run(tool.argv(script), cwd, log, limits=limits)
    except StageFailed as failure:
        if failure.kind != "crash":
            raise
        return diagnose(str(tool), log, failure.kind, failure.message)
    return done if done.returncode == 0 else diagnose(str(tool), log, "tool", f"exit code {done.returncode}.")


def settings(values: Mapping[str, str | float]) -> str:
    """A Tcl file that sets variables; ValueError for a value with characters that Tcl could take for more than text."""
    lines = []
    for name, value in values.items():
        text = str(value)
        if re.fullmatch(r"[\w.%+-]+", text) is None:
            raise ValueError(f"{name} must be letters, digits and any of _ . % + -, got {text!r}.")
        lines.append(f"set {name} {text}\n")
    return "".join(lines)


def replay_head(source: Path, folder: Path, place: str, extra: Sequence[str] = ()) -> None:
    """Begin `run.sh`: lay a fresh copy of `source` (a folder or archive), and of folders beside it, where the tool works.

    The script's first argument names the source, should it lie elsewhere by then.
    """
    inside = source.resolve().is_relative_to(folder.resolve())
    default = f'"$here"/{os.path.relpath(source, folder)}' if inside else f"'{source.resolve()}'"
    (folder / "run.sh").write_text(
        "#!/bin/sh\n# Repeats this run by hand. The first argument names the source, should it have moved.\nset -e\n"
        f'here=$(cd "$(dirname "$0")" && pwd)\nsource=${{1:-{default}}}\n'
        f'rm -rf "$here"/{place} && mkdir -p "$here"/{place}\n'
        + (f'tar -xzf "$source" -C "$here"/{place}\n' if source.is_file() else f'cp -R "$source"/. "$here"/{place}\n')
        + "".join(f'cp -R "$here"/{name} "$here"/{place}\n' for name in extra)
    )


def pack(work: Path, patterns: Sequence[str], archive: Path) -> None:
    """Put the files that `patterns` find below `work` into an archive, without folders; the same files give the same bytes."""
    found = sorted({path for pattern in patterns for path in work.glob(pattern) if path.is_file()})
    with (
        archive.open("wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path in found:
            row = tarfile.TarInfo(path.name)
            row.size = path.stat().st_size
            with path.open("rb") as content:
                tar.addfile(row, content)


def unpack(archive: Path, place: Path) -> None:
    """The inverse of `pack`."""
    place.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as tar:
        for row in tar:
            content = tar.extractfile(row)
            if content is None or Path(row.name).name != row.name:
                raise StageFailed("report", f"{archive}: {row.name!r} is no plain file. Make the rung below again.")
            with content, (place / row.name).open("wb") as file:
                shutil.copyfileobj(content, file)


def keep(work: Path, patterns: Sequence[str], place: Path) -> list[Path]:
    """Copy what `patterns` (globs below `work`) find into `place`, without folders, in the order of their names."""
    found = sorted({path for pattern in patterns for path in work.glob(pattern) if path.is_file()})
    if found:
        place.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copy2(path, place / path.name)) for path in found]

"""Verilog to the cells of an FPGA with Yosys: one process per pipeline stage, some at once."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from dse import shell
from dse.errors import StageFailed
from dse.shell import Limits
from dse.synth.open.rtl import TOP

SCRIPT = Path(__file__).parents[1] / "scripts" / "map.ys"
#: What runs a script file; pyosys brings Yosys as a library.
CALL = "import sys; from pyosys import libyosys as ys; ys.run_pass('script ' + sys.argv[1], ys.Design())"
#: Cells by the metric that counts them. An inverter that no look-up table has taken in is one of its own.
CELLS = {"$lut": "lut", "CARRY4": "carry"}


@dataclass(frozen=True)
class Effort:
    """How many Yosys processes run at once, and what each of them may take."""

    processes: int = 2
    limits: Limits = field(default_factory=lambda: Limits(timeout_s=1800.0, memory_bytes=8 * 10**9))


def mapped(verilog: Path, folder: Path, effort: Effort) -> dict[str, dict[str, int]]:
    """Cells of each stage (`logic0.v` ... in the folder `verilog`) by metric; scripts, logs and counts stay in `folder`.

    StageFailed as `dse.shell.run` raises it, "tool" where Yosys refuses, "report" for cells that are not known here.
    """
    sizes = {path.stem: path.stat().st_size for path in verilog.glob("logic*.v")}
    stages = sorted(sizes, key=lambda name: int(name.removeprefix("logic")))
    shared = [path for path in sorted(verilog.glob("*.v")) if path.stem not in (*stages, TOP)]
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(effort.processes) as pool:  # the largest first, so that no process is left alone with it at the end
        largest = sorted(stages, key=lambda name: -sizes[name])
        found = {name: pool.submit(_stage, name, verilog, shared, folder, effort.limits) for name in largest}
        return {name: found[name].result() for name in stages}


def _stage(stage: str, verilog: Path, shared: list[Path], folder: Path, limits: Limits) -> dict[str, int]:
    place = folder / stage
    place.mkdir(exist_ok=True)
    sources = " ".join(os.path.relpath(path, place) for path in (verilog / f"{stage}.v", *shared))
    (place / "map.ys").write_text(SCRIPT.read_text().replace("{sources}", sources).replace("{stage}", stage))
    log = place / "yosys.log"
    done = shell.run([sys.executable, "-c", CALL, "map.ys"], place, log, limits=replace(limits, grace_s=1.0))
    if done.returncode != 0:
        raise StageFailed("tool", f"yosys: {_reason(log)} The complete log is {stage}/{log.name}.", shell.tail(log))
    try:
        cells = json.loads((place / f"{stage}.json").read_text())["design"]["num_cells_by_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StageFailed("report", f"yosys: {stage}.json cannot be read: {error!r}.", shell.tail(log)) from error
    return counted(cells)


def counted(cells: Mapping[str, int]) -> dict[str, int]:
    """Cells by metric; StageFailed("report") for a kind that nobody has said what it counts as."""
    found = dict.fromkeys(("lut", "carry"), 0)
    for kind, count in cells.items():
        if kind not in CELLS:
            raise StageFailed("report", f"yosys: {count} cells of the kind {kind!r}; known are {', '.join(CELLS)}.")
        found[CELLS[kind]] += count
    return found


def _reason(log: Path) -> str:
    """The first line of the log that says error."""
    lines = log.read_text(errors="replace").splitlines()
    return next((line for line in lines if line.startswith("ERROR")), f"ended without a reason ({lines[-1:]}).")

"""C synthesis by the vendor's HLS tool: the rung `hls`, with co-simulation as a check on it."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dse import vendor
from dse.errors import StageFailed
from dse.metrics import Judge, Measurement, Source
from dse.network import Network
from dse.synth import reports
from dse.synth.reports import measure
from dse.synth.vectors import Vectors
from dse.vendor import Terms, Tool

#: Raised where what is built, or how it is read, changes the figures.
VERSION = 1
SCRIPT = Path(__file__).with_name("scripts") / "hls.tcl"
LOG = "hls.log"
#: Folder of the test bench's vectors, in the project and beside the log.
BENCH = "tb_data"
#: hls4ml's front end for each tool: the C++ of one does not compile with the other.
BACKENDS = {"Vitis HLS": "Vitis", "Vivado HLS": "Vivado"}
#: What is kept of a project that may take more than 1 GB.
KEPT_RTL = ("*_prj/*/syn/verilog/*",)
KEPT_REPORTS = ("*_prj/*/syn/report/*.rpt", "*_prj/*/syn/report/*.xml", "*_prj/*/sim/report/*_cosim.rpt")
KEPT_IP = ("*_prj/*/impl/ip/*.zip", "*_prj/*/impl/*.zip")
#: Decimals that the generated test bench prints of each output (the default of C++ streams).
DIGITS = 6


@dataclass(frozen=True)
class Vitis:
    """Vitis HLS, or Vivado HLS, as a synthesizer.

    `program` is vitis-run, vitis_hls, vivado_hls or auto (see `dse.vendor.find_hls`); `export_ip` keeps the packaged IP too;
    `terms` are limits of time, memory and disk, how many run at once, how long to wait for a licence (`dse.vendor.Terms`).
    """

    program: str = "auto"
    export_ip: bool = False
    terms: Terms = field(default_factory=Terms, compare=False)

    @property
    def tool(self) -> Tool:
        """The program that will be called; ToolNotFound where it is not there."""
        return vendor.find_hls(self.program)

    def judge(self, part: str, clock_ns: float | None) -> Judge:
        """The tool and its version at level `hls`."""
        tool = self.tool
        return Judge("vitis", tool.program.tool, tool.version, "hls", part, clock_ns)

    def causes(self, network: Network) -> dict[str, Any]:
        """The network, who generated the C++, the tool, and our script."""
        tool = self.tool
        return {
            "version": VERSION,
            "network": network.digest,
            "hls4ml": network.hls4ml_version,
            "backend": network.backend,
            "part": network.part,
            "clock_ns": network.clock_ns,
            "tool": [tool.program.name, tool.program.tool, tool.version],
            "script": hashlib.sha256(SCRIPT.read_bytes()).hexdigest(),
            "export_ip": self.export_ip,
        }

    def synthesize(self, network: Network, project: Path, folder: Path, vectors: Vectors | None = None) -> Measurement:
        """C synthesis of `project` in a copy of it; `folder` keeps log, run.sh, scripts, reports and RTL.

        With `vectors` the RTL is simulated on them too: `agreement_rtl` is 1, or StageFailed("mismatch") is raised where its
        outputs are not the emulation's.
        """
        tool = self.tool
        if network.backend != BACKENDS[tool.program.tool]:
            needed = next(name for name, backend in BACKENDS.items() if backend == network.backend)
            raise StageFailed(
                "unsupported", f"a project of hls4ml's {network.backend} backend needs {needed}, not {tool.path}."
            )
        top, *_ = _project(project)
        work = folder / vendor.WORK
        try:
            self._prepare(network, project, folder, vectors)
            vendor.call(tool, f"../{SCRIPT.name}", work, folder / LOG, self.terms)
            _keep(work, folder, export_ip=self.export_ip)
            found = reports.required(folder / vendor.REPORTS / f"{top}_csynth.rpt", str(tool))
            if vectors is not None:
                _check(folder, work, top, vectors, tool)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        source = Source("synthesize", tool.program.tool, tool.version, "hls")
        judge = self.judge(network.part, network.clock_ns)
        checked = {} if vectors is None else {"agreement_rtl": 1.0, "agreement_rtl_n": len(vectors.inputs)}
        return Measurement(source, {**measure.hls(found), **checked}, judge, measure.layers(found.modules))

    def _prepare(self, network: Network, project: Path, folder: Path, vectors: Vectors | None) -> None:
        """Lay out scripts, settings, run.sh and the copy of the project that the tool works in."""
        top, uncertainty, size = _project(project)
        values: dict[str, str | float] = {
            "top": top,
            "part": network.part,
            "clock_ns": network.clock_ns,
            "clock_uncertainty": uncertainty,
            "maximum_size": size,
            "cosim": int(vectors is not None),
            "export_ip": int(self.export_ip),
        }
        (folder / "settings.tcl").write_text(vendor.settings(values))
        shutil.copy2(SCRIPT, folder / SCRIPT.name)
        vendor.replay_head(project, folder, vendor.WORK, [] if vectors is None else [BENCH])
        work = folder / vendor.WORK
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(project, work, ignore=shutil.ignore_patterns("*_prj", "*.so", "*.o"))
        if vectors is not None:
            vectors.write(folder / BENCH)
            shutil.copytree(folder / BENCH, work / BENCH, dirs_exist_ok=True)


def _project(project: Path) -> tuple[str, str, str]:
    """Top function, clock uncertainty and the largest array that hls4ml's own script would ask for; from project.tcl."""
    try:
        text = (project / "project.tcl").read_text()
    except OSError as error:
        raise StageFailed("invalid", f"{project}: not a project of hls4ml ({error.strerror}: project.tcl).") from error
    found = []
    for name in ("project_name", "clock_uncertainty", "maximum_size"):
        value = re.search(rf'^set {name} "?([\w.%]+)"?\s*$', text, re.MULTILINE)
        if value is None:
            raise StageFailed("invalid", f"{project}/project.tcl: no readable `set {name}`.")
        found.append(value[1])
    return found[0], found[1], found[2]


def _keep(work: Path, folder: Path, *, export_ip: bool) -> None:
    vendor.keep(work, KEPT_REPORTS, folder / vendor.REPORTS)
    vendor.pack(work, KEPT_RTL, folder / vendor.RTL)
    if export_ip and not vendor.keep(work, KEPT_IP, folder / "ip"):
        raise StageFailed("report", f"the tool exported no IP ({', '.join(KEPT_IP)}). The complete log is {LOG}.")


def _check(folder: Path, work: Path, top: str, vectors: Vectors, tool: Tool) -> None:
    """StageFailed("mismatch") where the simulated RTL failed or gave other outputs than the emulation."""
    found = reports.required(folder / vendor.REPORTS / f"{top}_cosim.rpt", str(tool))
    if found.state != "pass":
        raise StageFailed("mismatch", f"co-simulation ended with {found.state!r}. The complete log is {LOG}.")
    results = [path for path in sorted(work.rglob("rtl_cosim_results.log")) if path.stat().st_size]
    if not results:
        raise StageFailed("report", f"the co-simulation left no rtl_cosim_results.log. The complete log is {LOG}.")
    shutil.copy2(results[-1], folder / "rtl_cosim_results.log")
    try:
        simulated = np.loadtxt(results[-1], ndmin=2)
    except ValueError as error:
        raise StageFailed("report", f"rtl_cosim_results.log cannot be read: {error}.") from error
    if simulated.shape != vectors.outputs.shape:
        raise StageFailed("mismatch", f"co-simulation gave outputs {simulated.shape}, the emulation {vectors.outputs.shape}.")
    # The test bench prints DIGITS significant digits.
    equal = np.isclose(simulated, vectors.outputs, rtol=10.0 ** (1 - DIGITS), atol=0).all(axis=1)
    if not equal.all():
        share = float(np.mean(equal))
        raise StageFailed("mismatch", f"the simulated RTL equals the emulation on {share:.2%} of {len(equal)} rows only.")

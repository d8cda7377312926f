"""Vivado on the RTL of an HLS tool, out of context: the rungs `netlist` (synthesis) and `routed` (place and route)."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dse import vendor
from dse.errors import ReportError, StageFailed
from dse.metrics import Judge, Measurement, Source
from dse.network import Network
from dse.synth import Synthesizer, reports
from dse.synth.reports import Report, measure
from dse.vendor import Terms, Tool

#: Raised where what is built, or how it is read, changes the figures.
VERSION = 1
SCRIPT = Path(__file__).with_name("scripts") / "vivado.tcl"
LOG = "vivado.log"
RUNGS = {"netlist": "synth", "routed": "routed"}


@dataclass(frozen=True)
class Vivado:
    """Vivado as a synthesizer, on what `hls` makes of the network; any synthesizer that leaves RTL and its csynth report.

    `threads` is what one run may use; `keep_checkpoint` keeps the design checkpoint as well.
    """

    rung: str
    hls: Synthesizer
    threads: int = 2
    keep_checkpoint: bool = False
    terms: Terms = field(default_factory=Terms, compare=False)

    def __post_init__(self) -> None:
        if self.rung not in RUNGS:
            raise ValueError(f"rung must be one of {', '.join(RUNGS)}, got {self.rung!r}.")

    @property
    def tool(self) -> Tool:
        """The program that will be called; ToolNotFound where it is not there."""
        return vendor.find(vendor.VIVADO)

    def judge(self, part: str, clock_ns: float | None) -> Judge:
        """Vivado's version and the HLS tool whose RTL it was given, at this rung's level."""
        below = self.hls.judge(part, clock_ns)
        version = f"{self.tool.version} after {below.tool} {below.version}"
        return Judge("vivado", "Vivado", version, self.rung, part, clock_ns)

    def causes(self, network: Network) -> dict[str, Any]:
        """What the RTL depends on, the tool, our script and the rung."""
        return {
            "version": VERSION,
            "below": self.hls.causes(network),
            "tool": ["Vivado", self.tool.version],
            "script": hashlib.sha256(SCRIPT.read_bytes()).hexdigest(),
            "rung": self.rung,
            "checkpoint": self.keep_checkpoint,
        }

    def synthesize(self, network: Network, project: Path, folder: Path) -> Measurement:
        """The whole ladder: C synthesis into `folder/hls`, then this rung."""
        below = folder / "hls"
        below.mkdir(parents=True, exist_ok=True)
        self.hls.synthesize(network, project, below)
        return self.refine(network, below, folder)

    def refine(self, network: Network, below: Path, folder: Path) -> Measurement:
        """This rung on what the rung below has left in the folder `below` (read only); `folder` keeps log and reports."""
        tool = self.tool
        csynth = _top(below)
        values: dict[str, str | float] = {
            "top": csynth.top,
            "part": network.part,
            "clock_ns": network.clock_ns,
            "rung": self.rung,
            "threads": self.threads,
            "checkpoint": int(self.keep_checkpoint),
        }
        work = folder / vendor.WORK
        try:
            (folder / "settings.tcl").write_text(vendor.settings(values))
            shutil.copy2(SCRIPT, folder / SCRIPT.name)
            vendor.replay_head(below / vendor.RTL, folder, f"{vendor.WORK}/rtl")
            shutil.rmtree(work, ignore_errors=True)
            vendor.unpack(below / vendor.RTL, work / "rtl")
            vendor.call(tool, f"../{SCRIPT.name}", work, folder / LOG, self.terms)
            vendor.keep(work, ("*.rpt", "*.dcp"), folder / vendor.REPORTS)
        finally:
            shutil.rmtree(work, ignore_errors=True)
        values_found, layers = self._figures(csynth, folder, tool)
        source = Source("synthesize", "Vivado", tool.version, self.rung)
        return Measurement(source, values_found, self.judge(network.part, network.clock_ns), layers)

    def _figures(self, csynth: Report, folder: Path, tool: Tool) -> tuple[dict[str, float], Any]:
        stage = RUNGS[self.rung]
        routed = self.rung == "routed"
        used, timing, hierarchy = (
            reports.required(folder / vendor.REPORTS / f"{name}_{stage}.rpt", str(tool))
            for name in ("utilization", "timing", "hierarchy")
        )
        found = measure.implemented(csynth, used, timing, routed=routed)
        if timing.value("clock_target_ns") is None:
            raise StageFailed("report", f"timing_{stage}.rpt states no clock: the constraint has not reached the design.")
        if routed:
            power = reports.required(folder / vendor.REPORTS / "power_routed.rpt", str(tool)).value("power_w")
            found |= {} if power is None else {"power_w": power}
        return found, measure.layers(tuple(m for m in hierarchy.modules if m.depth == 1))


def _top(below: Path) -> Report:
    """The csynth report of the design itself: the one of those kept whose top is an instance in no other."""
    if not (below / vendor.RTL).exists():
        raise StageFailed("report", f"{below}: the rung below has left no {vendor.RTL}.")
    found = []
    for path in sorted((below / vendor.REPORTS).glob("*_csynth.rpt")):
        try:
            found.append(reports.read(path))
        except ReportError as error:
            raise StageFailed("report", str(error)) from error
    inner = {module.module for report in found for module in report.modules}
    tops = [report for report in found if report.top not in inner]
    if len(tops) != 1:
        names = ", ".join(report.top for report in tops) or "none"
        raise StageFailed("report", f"{below / vendor.REPORTS}: csynth reports of one top module expected, got {names}.")
    return tops[0]

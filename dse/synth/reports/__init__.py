"""Vendor reports as typed figures: pure functions from a file's text, one module per family of reports.

A report is recognised by its content, not by its name. What is missing or written in an unknown way raises ReportError; what
the tool itself calls unknown is None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from dse.errors import ReportError, StageFailed
from dse.synth.reports import cosim, csynth, csynthxml, export, power, summary, timing, utilization
from dse.synth.reports.report import UNITS, Figure, Module, Report

__all__ = ["PARSERS", "UNITS", "Figure", "Module", "Report", "parse", "read", "recognise", "required"]

Parser = Callable[[str, str], Report]
#: The kinds that a parser returns, and the parser. One parser may return several kinds: those with the same prefix.
PARSERS: Mapping[str, Parser] = {
    "csynth": csynth.parse,
    "csynth_xml": csynthxml.parse,
    "csynth_summary": summary.parse,
    "utilization": utilization.parse,
    "timing": timing.parse,
    "power": power.parse,
    "cosim": cosim.parse,
    "cosim_latency": cosim.parse_lat,
    "export": export.parse,
    "export_xml": export.parse_xml,
}
#: What only this kind of report holds, in the order in which it is looked for: a csynth report may have others behind it.
SIGNS: Mapping[str, str] = {
    "csynth": r"^\W*== (?:Vivado|Vitis) HLS Report for '",
    "csynth_summary": r"^\W*== Synthesis Summary Report of '",
    "utilization": r"^\|\s*Command\s*:\s*report_(?:utilization|accelerator_utilization)\b|^Utilization Design Information"
    r"|^\|\s*Name\s*\|\s*LUT\s*\|\s*LUTAsMem\s*\|",
    "timing": r"^\|\s*Command\s*:\s*report_timing(?:_summary)?\b|^\|\s*Design Timing Summary|^Timing Report\s*$",
    "power": r"^\|\s*Command\s*:\s*report_power\b|^Power Report\s*$",
    "cosim": r"^\s*\+\s+RTL\s+\+\s+Status\s+\+",
    "cosim_latency": r"^\s*\$MAX_LATENCY\s*=",
    "export": r"^\s*#=== Post-\w+ Resource usage",
}
_SIGNS = {kind: re.compile(sign, re.MULTILINE) for kind, sign in SIGNS.items()}
_PROFILE = re.compile(r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<profile\b", re.DOTALL)


def recognise(text: str) -> str | None:
    """The kind of report that a file's text is (a key of `PARSERS`), or None where it is none."""
    if _PROFILE.match(text):
        return "export_xml" if "<AreaReport" in text else "csynth_xml"
    return next((kind for kind, sign in _SIGNS.items() if sign.search(text)), None)


def parse(name: str, text: str) -> Report:
    """Read a report's text; `name` is used in errors. ReportError where it is no known report or cannot be read."""
    text = text.removeprefix("\ufeff")
    kind = recognise(text)
    if kind is None:
        raise ReportError(f"{name}: not a report that holds figures. Known kinds: {', '.join(PARSERS)}.")
    return PARSERS[kind](name, text)


def read(path: Path) -> Report:
    """Read a report file; ReportError as `parse`, and where the file cannot be read at all."""
    return parse(str(path), text_of(path))


def required(path: Path, tool: str) -> Report:
    """A report that `tool` must have left; StageFailed("report") where it has not, or it cannot be read."""
    if not path.exists():
        raise StageFailed("report", f"{tool} ended well but left no {path.name}.")
    try:
        return read(path)
    except ReportError as error:
        raise StageFailed("report", str(error)) from error


def text_of(path: Path) -> str:
    """A file's text; ReportError where it cannot be read. The tools write ASCII, comments in it may be anything."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror}.") from error

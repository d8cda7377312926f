"""`<top>_export.rpt` and `.xml`: what Vivado made of the exported RTL, told by HLS. Block RAM is in 18-kbit blocks already."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from dse.errors import ReportError
from dse.synth.reports.csynthxml import root_of
from dse.synth.reports.report import Figure, Report, figures
from dse.synth.reports.text import Document, count, number

KNOWN = "export.rpt and export.xml of Vivado HLS 2018.2-2020.1 and Vitis HLS 2020.2-2025.1"
RESOURCES = {"bram_18k": "BRAM", "dsp": "DSP", "ff": "FF", "lut": "LUT", "uram": "URAM"}
#: Missing where the part has none.
OPTIONAL = ("uram",)


def parse(name: str, text: str) -> Report:
    """Read one text report; ReportError where a line is missing or unreadable."""
    doc = Document.of(name, text, KNOWN)
    heading = doc.need(r"#=== Post-(Synthesis|Implementation) Resource usage", "section 'Resource usage'", "the file")
    timing = doc.need(r"#=== Final timing", "section 'Final timing'", "the file", (heading, None))
    state = doc.field(r"#=== (Post-\w+) Resource usage")
    found = [*_resources(doc, heading, timing), *_clock(doc, timing, state)]
    return Report(
        file=name,
        kind="export",
        tool="Vivado",
        version=doc.field(r"Implementation tool:\s*(?:Xilinx |AMD )?Vivado v\.(\S+)"),
        part=doc.field(r"Device target:\s*(\S+)"),
        top="",
        figures=figures(found),
        state=state,
    )


def _value(doc: Document, at: int, where: str, *, whole: bool) -> float | None:
    if doc.open_ended and at == len(doc.lines) - 1:
        doc.fail("end of the line (the report is cut off)", f"{where}, line {at + 1}")
    text = doc.lines[at].partition(":")[2]
    try:
        return count(text) if whole else number(text)
    except ValueError as error:
        raise doc.bad(error, doc.lines[at].partition(":")[0].strip(), where, at + 1) from error


def _resources(doc: Document, start: int, stop: int) -> Iterator[Figure]:
    where = "section 'Resource usage'"
    for name, label in RESOURCES.items():
        at = doc.find(rf"{label}:", start, stop)
        if at is None:
            if name in OPTIONAL:
                continue
            doc.fail(f"line '{label}:'", where)
        yield Figure(name, _value(doc, at, where, whole=True), where, at + 1)


def _clock(doc: Document, start: int, state: str) -> Iterator[Figure]:
    where = "section 'Final timing'"
    reached = {"Post-Synthesis": "post-synthesis", "Post-Implementation": "post-implementation"}[state]
    for name, label in (("clock_target_ns", "CP required"), ("clock_estimated_ns", f"CP achieved {reached}")):
        at = doc.need(rf"{label}:", f"line '{label}:'", where, (start, None))
        yield Figure(name, _value(doc, at, where, whole=False), where, at + 1)


def parse_xml(name: str, text: str) -> Report:
    """Read one XML report; it names neither tool nor part, and the unit of time is ns as in the text report."""
    root = root_of(name, text)
    found = []
    for figure, tag in RESOURCES.items():
        path = f"AreaReport/Resources/{tag}"
        if root.find(path) is None and figure in OPTIONAL:
            continue
        found.append(_element(name, root, figure, path))
    for figure, tag in (("clock_target_ns", "TargetClockPeriod"), ("clock_estimated_ns", "AchievedClockPeriod")):
        found.append(_element(name, root, figure, f"TimingReport/{tag}"))
    return Report(name, "export_xml", "Vivado", "", "", "", figures(found))


def _element(name: str, root: ET.Element, figure: str, path: str) -> Figure:
    elements = root.findall(path)
    if len(elements) != 1:
        raise ReportError(f"{name}: no single element {path} (there are {len(elements)}). Known layouts: {KNOWN}.")
    text = re.sub(r"\s", "", elements[0].text or "")
    try:
        value = number(text) if figure.startswith("clock") else count(text)
    except ValueError as error:
        raise ReportError(f"{name}: {path}: {error}. Known layouts: {KNOWN}.") from error
    return Figure(figure, value, path)

"""`csynth.xml` and `<top>_csynth.xml`: the same estimates as csynth.rpt, in XML."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import NoReturn

from dse.errors import ReportError
from dse.synth.reports.report import Figure, Module, Report, figures
from dse.synth.reports.text import NS, count, number

KNOWN = "csynth.xml of Vivado HLS 2018.3-2020.1 and Vitis HLS 2020.2-2025.2"
CYCLES = {
    "latency_min": "Best-caseLatency",
    "latency_max": "Worst-caseLatency",
    "interval_min": "Interval-min",
    "interval_max": "Interval-max",
}
RESOURCES = {"bram_18k": ("BRAM_18K",), "dsp": ("DSP", "DSP48E"), "ff": ("FF",), "lut": ("LUT",), "uram": ("URAM",)}
OPTIONAL = ("uram",)
#: In a module's row Interval-min and -max are missing and the initiation interval, if any, stands here.
INITIATION = "PerformanceEstimates/SummaryOfOverallLatency/PipelineInitiationInterval"


def root_of(name: str, text: str) -> ET.Element:
    """The document's root; ReportError where it is not well-formed (cut off, for example)."""
    try:
        # Entity expansion is bounded by expat since 2.4.1.
        return ET.fromstring(text)  # noqa: S314
    except (ET.ParseError, ValueError) as error:
        raise ReportError(f"{name}: not well-formed XML: {error}. Known layouts: {KNOWN}.") from error


def parse(name: str, text: str) -> Report:
    """Read one report; ReportError where an element is missing, more than once there, or unreadable."""
    root = root_of(name, text)
    found = [*_clock(name, root), *_cycles(name, root), *_resources(name, root)]
    flow = root.find("UserAssignments/FlowTarget")
    return Report(
        file=name,
        kind="csynth_xml",
        # Only Vitis HLS states a flow target.
        tool="Vivado HLS" if flow is None else "Vitis HLS",
        version=_text(name, root, "ReportVersion/Version"),
        part=_text(name, root, "UserAssignments/Part"),
        top=_text(name, root, "UserAssignments/TopModelName"),
        figures=figures(found),
        modules=tuple(_module(name, module) for module in root.iterfind("ModuleInformation/Module")),
        state="csynth",
        notes={"pipeline": root.findtext("PerformanceEstimates/PipelineType", "").strip()},
    )


def _fail(name: str, wanted: str, where: str) -> NoReturn:
    raise ReportError(f"{name}: no {wanted} in {where}. Known layouts: {KNOWN}.")


def _text(name: str, root: ET.Element, path: str) -> str:
    elements = root.findall(path)
    if len(elements) != 1:
        _fail(name, f"single element {path.rpartition('/')[2]} (there are {len(elements)})", path)
    return (elements[0].text or "").strip()


def _number(name: str, root: ET.Element, path: str, read: type[int | float]) -> float | None:
    text = _text(name, root, path)
    try:
        return count(text) if read is int else number(text)
    except ValueError as error:
        raise ReportError(f"{name}: {path}: {error}. Known layouts: {KNOWN}.") from error


def _clock(name: str, root: ET.Element) -> Iterator[Figure]:
    for figure, section, path in (
        ("clock_target_ns", "UserAssignments", "UserAssignments/TargetClockPeriod"),
        (
            "clock_estimated_ns",
            "PerformanceEstimates/SummaryOfTimingAnalysis",
            "PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod",
        ),
    ):
        unit = _text(name, root, f"{section}/unit")
        if unit not in NS:
            _fail(name, f"known unit of time (there is {unit!r})", section)
        value = _number(name, root, path, float)
        yield Figure(figure, None if value is None else round(value * NS[unit], 9), path)


def _cycles(name: str, root: ET.Element) -> Iterator[Figure]:
    section = "PerformanceEstimates/SummaryOfOverallLatency"
    unit = _text(name, root, f"{section}/unit")
    if unit != "clock cycles":
        _fail(name, f"unit 'clock cycles' (there is {unit!r})", section)
    for figure, element in CYCLES.items():
        yield Figure(figure, _number(name, root, f"{section}/{element}", int), f"{section}/{element}")


def _resources(name: str, root: ET.Element) -> Iterator[Figure]:
    section = "AreaEstimates/Resources"
    for figure, elements in RESOURCES.items():
        present = [element for element in elements if root.find(f"{section}/{element}") is not None]
        if len(present) != 1:
            if figure in OPTIONAL and not present:
                continue
            _fail(name, f"single element {' or '.join(elements)}", section)
        yield Figure(figure, _number(name, root, f"{section}/{present[0]}", int), f"{section}/{present[0]}")


def _module(name: str, element: ET.Element) -> Module:
    values: dict[str, float | None] = {
        figure: _number(name, element, f"PerformanceEstimates/SummaryOfOverallLatency/{CYCLES[figure]}", int)
        for figure in ("latency_min", "latency_max")
    }
    interval = element.findtext(INITIATION, "")
    low, _, high = interval.partition("~")
    for figure, text in (("interval_min", low), ("interval_max", high or low)):
        values[figure] = int(text) if re.fullmatch(r"\s*\d+\s*", text) else None
    values |= {figure.name: figure.value for figure in _resources(name, element)}
    return Module(_text(name, element, "Name"), _text(name, element, "Name"), values)

"""Vivado's `report_timing_summary` (slack of the whole design) and `report_timing` (its worst path)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dse.synth.reports.report import Figure, Report, figures
from dse.synth.reports.text import Document, number

KNOWN = "report_timing_summary and report_timing of Vivado 2018.2-2025.2"
#: Options that make `report_timing` look at something else than the worst setup path of the design.
NARROWED = re.compile(r"-(from|to|through|rise_\w+|fall_\w+|hold|group|of_objects|cell|delay_type\s+min\b|exclude_cell)")
SLACK = re.compile(r"\s*Slack\s*(?:\((?:MET|VIOLATED)\))?\s*:\s*(\S+?)(?:ns)?(?:\s|$)")


def parse(name: str, text: str) -> Report:
    """Read one report; ReportError where a section or number is missing or unknown."""
    doc = Document.of(name, text, KNOWN)
    at = doc.find(r"\|?\s*Design Timing Summary\s*$")
    found, kind = (tuple(_summary(doc, at)), "timing") if at is not None else (tuple(_path(doc)), "timing_path")
    part, speed = doc.field(r"\|\s*Device\s*:\s*(\S+)"), doc.field(r"\|\s*Speed File\s*:\s*(-\S+)")
    command = doc.field(r"\|\s*Command\s*:\s*(.+)")
    return Report(
        file=name,
        kind=kind,
        tool="Vivado",
        version=doc.field(r"\|\s*Tool Version\s*:\s*Vivado v\.(\S+)"),
        part=f"{part}{speed}" if part else "",
        top=doc.field(r"\|\s*Design\s*:\s*(\S+)"),
        figures=figures(found),
        state=doc.field(r"\|\s*Design State\s*:\s*(.+)"),
        notes={"command": command} if command else {},
    )


def _summary(doc: Document, at: int) -> Iterator[Figure]:
    where = "Design Timing Summary"
    header = doc.need(r"WNS\(ns\)\s+TNS\(ns\)", "header 'WNS(ns) TNS(ns)'", where, (at, None))
    marks = [m.span() for m in re.finditer(r"-+", doc.lines[header + 1])] if header + 1 < len(doc.lines) else []
    names = [doc.lines[header][a:b].strip() for a, b in marks]
    values_at = doc.find(r"\S", header + 2)
    cells = [] if values_at is None else doc.lines[values_at].split()
    if values_at is None or len(cells) != len(names) or names[:2] != ["WNS(ns)", "TNS(ns)"]:
        doc.fail("row of values below the header", f"{where}, line {header + 1}")
    values: dict[str, float | None] = {}
    for figure, column in (("wns_ns", "WNS(ns)"), ("tns_ns", "TNS(ns)")):
        try:
            values[figure] = number(cells[names.index(column)])
        except ValueError as error:
            raise doc.bad(error, column, where, values_at + 1) from error
        yield Figure(figure, values[figure], where, values_at + 1)
    yield from _clock(doc, header, values["wns_ns"])


def _clock(doc: Document, start: int, wns: float | None) -> Iterator[Figure]:
    """The period of the only clock, and what was reached: period - WNS. With several clocks neither is known."""
    where = "Clock Summary"
    at = doc.need(r"\|?\s*Clock Summary\s*$", "section", f"{where!r}", (start, None))
    end = doc.need(r"\|?\s*Intra Clock Table\s*$", "section", "'Intra Clock Table'", (at, None))
    header = doc.find(r"Clock\s+Waveform\(ns\)\s+Period\(ns\)", at, end)
    if header is None:
        if wns is None:
            return
        doc.fail("header 'Clock Waveform(ns) Period(ns)'", where)
    clocks: list[tuple[int, str]] = []
    for i in range(header + 2, end):
        if not doc.lines[i].strip():
            break
        found = re.fullmatch(r"\s*(\S+)\s+\{[^}]*\}\s+(\S+)\s+(\S+)\s*", doc.lines[i])
        if found is None:
            doc.fail("row 'CLOCK {WAVEFORM} PERIOD FREQUENCY'", f"{where}, line {i + 1}")
        clocks.append((i + 1, found[2]))
    if len(clocks) == 1:
        line, text = clocks[0]
        try:
            yield from _periods(number(text), wns, where, line)
        except ValueError as error:
            raise doc.bad(error, "Period(ns)", where, line) from error


def _periods(period: float | None, wns: float | None, where: str, line: int) -> Iterator[Figure]:
    yield Figure("clock_target_ns", period, where, line)
    reached = None if period is None or wns is None else round(period - wns, 6)
    yield Figure("clock_estimated_ns", reached, f"{where} and slack", line)


def _path(doc: Document) -> Iterator[Figure]:
    """`report_timing` without restrictions: the worst setup path, whose slack is the design's WNS."""
    command = doc.field(r"\|\s*Command\s*:\s*(.+)")
    restricted = NARROWED.search(command)
    if restricted is not None:
        doc.fail(f"worst path of the whole design (the report was made with {restricted[0]!r})", "the file's head")
    where = "Timing Report"
    slacks: list[tuple[float | None, int]] = []
    for i, line in enumerate(doc.lines):
        found = SLACK.match(line)
        if found is not None:
            try:
                slacks.append((number(found[1]), i))
            except ValueError as error:
                raise doc.bad(error, "Slack", where, i + 1) from error
    if not slacks:
        doc.fail("line 'Slack (MET) :' or section 'Design Timing Summary'", "the file")
    slack, at = min(slacks, key=lambda pair: float("inf") if pair[0] is None else pair[0])
    kind = doc.need(r"Path Type:", "line 'Path Type:'", where, (at, None))
    if "Setup" not in doc.lines[kind] and "Max" not in doc.lines[kind]:
        doc.fail("setup path", f"{where}, line {kind + 1}")
    yield Figure("wns_ns", slack, where, at + 1)
    clock: dict[str, int] = {}
    for i in range(at, kind):
        period = re.search(r"period=(\d+(?:\.\d+)?)ns", doc.lines[i])
        if period is not None:
            clock[period[1]] = i + 1
    if len(clock) == 1:
        ((text, line_number),) = clock.items()
        yield from _periods(float(text), slack, where, line_number)

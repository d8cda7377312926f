"""`csynth.rpt` of Vitis HLS: one table of all modules and loops. It states neither the clock nor minimum and maximum."""

from __future__ import annotations

from collections.abc import Mapping

from dse.synth.reports.report import Figure, Module, Report, figures
from dse.synth.reports.text import Document, Row, Table, count

KNOWN = "the csynth.rpt summary of Vitis HLS 2020.2-2025.2"
HEADER = r"== Synthesis Summary Report of '(.+?)'"
WHERE = "Performance & Resource Estimates"
#: Latency and interval are worst cases: the design's own csynth.rpt shows the same number as `max`.
COLUMNS: Mapping[str, str] = {
    "latency_max": "Latency (cycles)",
    "interval_max": "Interval",
    "bram_18k": "BRAM",
    "dsp": "DSP",
    "ff": "FF",
    "lut": "LUT",
    "uram": "URAM",
}


def parse(name: str, text: str) -> Report:
    """Read one report; ReportError where a section, table, column or number is missing or unknown.

    The tool writes `-` for resources that a module does not use as well as for what it does not know: unknown here.
    """
    doc = Document.of(name, text, KNOWN)
    start = doc.need(HEADER, "header '== Synthesis Summary Report of'", "the file")
    at = doc.need(r"\+ Performance & Resource Estimates", "section", f"'{WHERE}'", (start, None))
    table = doc.table(at, WHERE)
    rows = [row for row in table.rows if row.cells[0].startswith("+")]
    if not rows or rows[0] is not table.rows[0] or rows[0].indent:
        doc.fail("row of the top module, '+ NAME', as the first", WHERE)
    top = rows[0]
    values = _values(doc, table, top)
    return Report(
        file=name,
        kind="csynth_summary",
        tool="Vitis HLS",
        version=doc.field(r"\* Version:\s*(\S+)", at),
        part=doc.field(r"\* Target device:\s*(\S+)", at),
        top=doc.field(HEADER),
        figures=figures(Figure(key, value, WHERE, top.line) for key, value in values.items()),
        modules=tuple(_module(doc, table, row) for row in rows[1:]),
        state="csynth",
    )


def _values(doc: Document, table: Table, row: Row) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, column in COLUMNS.items():
        at = doc.column(table, (column,), WHERE)
        try:
            found[name] = count(row.cells[at])
        except ValueError as error:
            raise doc.bad(error, column, WHERE, row.line) from error
    return found


def _module(doc: Document, table: Table, row: Row) -> Module:
    """Loops (`o`) between modules are left out; their indentation counts, so depths may skip a number."""
    label = row.cells[0].removeprefix("+").strip().rstrip("*")
    return Module(label, label, _values(doc, table, row), depth=row.indent)

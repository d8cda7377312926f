"""`<top>_csynth.rpt`: what C synthesis estimates, of the design and of each instance in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dse.synth.reports.report import Figure, Module, Report, figures
from dse.synth.reports.text import Document, Row, Table, count, time_ns

KNOWN = "csynth.rpt of Vivado HLS 2018.2-2020.1 and Vitis HLS 2020.2-2025.2"
HEADER = r"== (Vivado|Vitis) HLS Report for '(.+?)'"
RESOURCES: Mapping[str, tuple[str, ...]] = {
    "bram_18k": ("BRAM_18K",),
    "dsp": ("DSP", "DSP48E"),
    "ff": ("FF",),
    "lut": ("LUT",),
    "uram": ("URAM",),
}
#: Seven-series parts have no UltraRAM and some of their reports no column for it.
OPTIONAL = ("uram",)


def parse(name: str, text: str) -> Report:
    """Read one report; ReportError where a section, table, column or number is missing or unknown."""
    doc = Document.of(name, text, KNOWN)
    start = doc.need(HEADER, "header '== Vitis HLS Report for'", "the file")
    performance = doc.need("== Performance Estimates", "section", "'Performance Estimates'", (start, None))
    utilization = doc.need("== Utilization Estimates", "section", "'Utilization Estimates'", (performance, None))
    tool = doc.field(HEADER)
    found = [*_clock(doc, performance, utilization), *_latency(doc, performance, utilization), *_resources(doc, utilization)]
    return Report(
        file=name,
        kind="csynth",
        tool=f"{tool} HLS",
        version=doc.field(r"\* Version:\s*(\S+)", performance),
        part=doc.field(r"\* Target device:\s*(\S+)", performance),
        top=doc.field(r"HLS Report for '(.+?)'"),
        figures=figures(found),
        modules=_modules(doc, performance, utilization),
        state="csynth",
        notes={"pipeline": _pipeline(doc, performance, utilization)},
    )


def _clock(doc: Document, start: int, stop: int) -> Iterator[Figure]:
    """Up to 2019.1 the section's name holds the unit, later every cell does."""
    where = "Performance Estimates/Timing"
    at = doc.need(r"\+ Timing", "section", where, (start, stop))
    unit = "ns" if "(ns)" in doc.lines[at] else ""
    table = doc.table(at, where, stop)
    if len(table.rows) != 1:
        doc.fail(f"single clock (the table has {len(table.rows)})", where)
    row = table.rows[0]
    for name, column in (("clock_target_ns", "Target"), ("clock_estimated_ns", "Estimated")):
        cell = row.cells[doc.column(table, (column,), where)]
        try:
            yield Figure(name, time_ns(cell, unit), where, row.line)
        except ValueError as error:
            raise doc.bad(error, column, where, row.line) from error


def _summary(doc: Document, start: int, stop: int) -> tuple[Table, Row]:
    where = "Performance Estimates/Latency"
    at = doc.need(r"\+ Latency", "section", where, (start, stop))
    if "(clock cycles)" not in doc.lines[at] and "+ Latency:" not in doc.lines[at]:
        doc.fail("unit 'clock cycles'", f"{where}, line {at + 1}")
    table = doc.table(at, where, stop)
    if len(table.rows) != 1:
        doc.fail(f"single row (the table has {len(table.rows)})", where)
    return table, table.rows[0]


def _latency(doc: Document, start: int, stop: int) -> Iterator[Figure]:
    """Up to 2019.1 the section's name says that latency is in cycles, later the column does (another one holds times)."""
    where = "Performance Estimates/Latency"
    table, row = _summary(doc, start, stop)
    for name, value in _cycles(doc, table, row, where).items():
        yield Figure(name, value, where, row.line)


def _cycles(doc: Document, table: Table, row: Row, where: str) -> dict[str, float | None]:
    plain = any(column == "Latency min" for column in table.columns)
    latency = "Latency" if plain else "Latency (cycles)"
    names = {
        "latency_min": f"{latency} min",
        "latency_max": f"{latency} max",
        "interval_min": "Interval min",
        "interval_max": "Interval max",
    }
    found: dict[str, float | None] = {}
    for name, column in names.items():
        try:
            found[name] = count(row.cells[doc.column(table, (column,), where)])
        except ValueError as error:
            raise doc.bad(error, column, where, row.line) from error
    return found


def _pipeline(doc: Document, start: int, stop: int) -> str:
    table, row = _summary(doc, start, stop)
    return row.cells[doc.column(table, ("Pipeline Type",), "Performance Estimates/Latency")]


def _resources(doc: Document, start: int) -> Iterator[Figure]:
    where = "Utilization Estimates/Summary"
    table = doc.table(start, where)
    row = next((row for row in table.rows if row.cells[0] == "Total"), None)
    if row is None:
        doc.fail("row 'Total'", where)
    for name, value in _amounts(doc, table, row, where).items():
        yield Figure(name, value, where, row.line)


def _amounts(doc: Document, table: Table, row: Row, where: str) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, columns in RESOURCES.items():
        at = doc.optional(table, columns, where) if name in OPTIONAL else doc.column(table, columns, where)
        if at is None:
            continue
        try:
            found[name] = count(row.cells[at])
        except ValueError as error:
            raise doc.bad(error, columns[0], where, row.line) from error
    return found


def _modules(doc: Document, performance: int, utilization: int) -> tuple[Module, ...]:
    """The instances in the order of the latency table; those that only the resource table knows (bare operators) follow."""
    rows: dict[tuple[str, str], dict[str, float | None]] = {}
    for start, stop, read, where in (
        (performance, utilization, _cycles, "Performance Estimates/Detail/Instance"),
        (utilization, None, _amounts, "Utilization Estimates/Detail/Instance"),
    ):
        table = _instances(doc, start, stop, where)
        if table is None:
            continue
        instance, module = (doc.column(table, (name,), where) for name in ("Instance", "Module"))
        for row in table.rows:
            if row.cells[0] != "Total":
                key = (row.cells[instance], row.cells[module])
                rows.setdefault(key, {}).update(read(doc, table, row, where))
    return tuple(Module(instance, module, values) for (instance, module), values in rows.items())


def _instances(doc: Document, start: int, stop: int | None, where: str) -> Table | None:
    """The table below `* Instance:`; None where the report has none or says N/A."""
    at = doc.find(r"\* Instance:", start, stop)
    if at is None:
        return None
    following = doc.find(r"\S", at + 1, stop)
    if following is None:
        doc.fail("table or 'N/A'", where)
    return None if doc.lines[following].strip() == "N/A" else doc.table(following, where, stop)

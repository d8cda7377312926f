"""C/RTL co-simulation: `<top>_cosim.rpt`, and the `lat.rpt` that its numbers come from."""

from __future__ import annotations

import re

from dse.synth.reports.report import Figure, Report, figures
from dse.synth.reports.text import Document, Row, Table, count

KNOWN = "cosim.rpt of Vivado HLS 2018.2-2020.1 and Vitis HLS 2020.2-2025.2, lat.rpt of the same"
STATES = {"pass": "pass", "fail": "fail", "na": "not run", "not run": "not run"}
LAT = {
    "latency_min": "MIN_LATENCY",
    "latency_max": "MAX_LATENCY",
    "interval_min": "MIN_THROUGHPUT",
    "interval_max": "MAX_THROUGHPUT",
}


def parse(name: str, text: str) -> Report:
    """Read one report; `state` is `pass`, `fail` or `not run`; ReportError where the table is missing or unknown.

    Of several simulated languages the first that ran counts, failures before passes.
    """
    doc = Document.of(name, text, KNOWN)
    where = "the co-simulation table"
    at = doc.need(r"\+\s+RTL\s+\+\s+Status\s+\+", "header 'RTL | Status'", "the file")
    while at > 0 and doc.lines[at - 1].lstrip()[:1] in ("+", "|"):
        at -= 1
    table = doc.table(at, where)
    status = doc.column(table, ("Status",), where)
    ranked: list[tuple[int, Row, str]] = []
    for row in table.rows:
        state = STATES.get(row.cells[status].lower())
        if state is None:
            doc.fail(f"known status (there is {row.cells[status]!r})", f"{where}, line {row.line}")
        ranked.append((("fail", "pass", "not run").index(state), row, state))
    if not ranked:
        doc.fail("row of a simulated language", where)
    _, row, state = min(ranked, key=lambda entry: entry[0])
    return Report(
        file=name,
        kind="cosim",
        tool="",
        version="",
        part="",
        top="",
        figures=figures(_cycles(doc, table, row, where)),
        state=state,
        notes={"language": row.cells[0]},
    )


def _cycles(doc: Document, table: Table, row: Row, where: str) -> list[Figure]:
    """Later versions name the unit, earlier ones count cycles without saying so."""
    found = []
    for name in ("latency_min", "latency_max", "interval_min", "interval_max"):
        quantity, _, bound = name.partition("_")
        title = quantity.capitalize()
        at = doc.column(table, (f"{title} {bound}", f"{title}(Clock Cycles) {bound}"), where)
        try:
            found.append(Figure(name, count(row.cells[at]), where, row.line))
        except ValueError as error:
            raise doc.bad(error, name, where, row.line) from error
    return found


def parse_lat(name: str, text: str) -> Report:
    """Read `lat.rpt`: lines like `$MAX_LATENCY = "3555"`, in cycles."""
    doc = Document.of(name, text, KNOWN)
    found = []
    for figure, variable in LAT.items():
        at = doc.need(rf"\${variable}\s*=", f"line '${variable} ='", "the file")
        value = re.fullmatch(r'\s*\$\w+\s*=\s*"([^"]*)"\s*;?\s*', doc.lines[at])
        if value is None:
            doc.fail("value in quotes", f"line {at + 1}")
        try:
            found.append(Figure(figure, count(value[1]), "the file", at + 1))
        except ValueError as error:
            raise doc.bad(error, variable, "the file", at + 1) from error
    return Report(name, "cosim_latency", "", "", "", "", figures(found))

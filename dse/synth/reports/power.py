"""Vivado's `report_power`."""

from __future__ import annotations

import re

from dse.synth.reports.report import Figure, Report, figures
from dse.synth.reports.text import Document, number

KNOWN = "report_power of Vivado 2018.2-2025.2"


def parse(name: str, text: str) -> Report:
    """Read one report; ReportError where the summary's total is missing or unreadable."""
    doc = Document.of(name, text, KNOWN)
    where = "section '1. Summary'"
    heading = doc.need(r"1\. Summary", "section '1. Summary'", "the file", (_contents(doc), None))
    table = doc.table(heading, where)
    row = next((row for row in table.rows if row.cells[0] == "Total On-Chip Power (W)"), None)
    if row is None:
        doc.fail("row 'Total On-Chip Power (W)'", where)
    notes = {cells[0]: cells[1] for cells in (row.cells for row in table.rows) if cells[0] == "Confidence Level"}
    # The tool adds "(Junction temp exceeded!)" to the number where it applies.
    amount, _, remark = row.cells[1].partition("(")
    try:
        power = number(amount)
    except ValueError as error:
        raise doc.bad(error, row.cells[0], where, row.line) from error
    if remark:
        notes["remark"] = remark.rstrip(") ")
    return Report(
        file=name,
        kind="power",
        tool="Vivado",
        version=doc.field(r"\|\s*Tool Version\s*:\s*Vivado v\.(\S+)"),
        part=doc.field(r"\|\s*Device\s*:\s*(\S+)"),
        top=doc.field(r"\|\s*Design\s*:\s*(\S+)"),
        figures=figures([Figure("power_w", power, where, row.line)]),
        state=doc.field(r"\|\s*Design State\s*:\s*(.+)"),
        notes=notes,
    )


def _contents(doc: Document) -> int:
    """The line after the table of contents, which names the sections too."""
    at = doc.find("Table of Contents")
    if at is None:
        return 0
    return next((i for i in range(at, len(doc.lines)) if not re.search(r"\S", doc.lines[i])), len(doc.lines))

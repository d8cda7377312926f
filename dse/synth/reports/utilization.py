"""Vivado's `report_utilization`: of the whole design, by hierarchy, and of the kernels of an accelerator card."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from dse.synth.reports.report import Figure, Module, Report, figures
from dse.synth.reports.text import Document, Row, Table, count, number

KNOWN = "report_utilization of Vivado 2018.2-2025.2 (Slice and CLB logic, by hierarchy, kernels)"
KERNEL = ("Name", "LUT", "LUTAsMem", "REG", "BRAM", "URAM", "DSP")
#: Site types that hold each figure; block RAM in tiles of 36 kbit. Versal says Registers and DSP Slices.
SITES: Mapping[str, tuple[str, ...]] = {
    "lut": ("CLB LUTs", "Slice LUTs"),
    "ff": ("CLB Registers", "Slice Registers", "Registers"),
    "bram_18k": ("Block RAM Tile",),
    "dsp": ("DSPs", "DSP Slices"),
    "uram": ("URAM",),
}
#: Parts without UltraRAM have no row or column for it.
OPTIONAL = ("uram",)
HIERARCHY: Mapping[str, tuple[str, ...]] = {
    "lut": ("Total LUTs",),
    "ff": ("FFs",),
    "dsp": ("DSP48 Blocks", "DSP Blocks", "DSPs", "DSP Slices"),
    "uram": ("URAM",),
}


def parse(name: str, text: str) -> Report:
    """Read one report; ReportError where a table, row, column or number is missing or unknown."""
    doc = Document.of(name, text, KNOWN)
    kernel = _kernel_table(doc)
    if kernel is not None:
        return _report(doc, "utilization_kernels", *_kernels(doc, kernel))
    if doc.find(r"\d+(\.\d+)*\.? Utilization by Hierarchy") is not None:
        return _report(doc, "utilization_hierarchy", *_hierarchy(doc))
    return _report(doc, "utilization", tuple(_flat(doc)), ())


def _report(doc: Document, kind: str, found: Sequence[Figure], modules: tuple[Module, ...]) -> Report:
    return Report(
        file=doc.name,
        kind=kind,
        tool="Vivado",
        version=doc.field(r"\|\s*Tool Version\s*:\s*Vivado v\.(\S+)"),
        part=doc.field(r"\|\s*Device\s*:\s*(\S+)"),
        top=doc.field(r"\|\s*Design\s*:\s*(\S+)"),
        figures=figures(found),
        modules=modules,
        state=doc.field(r"\|\s*Design State\s*:\s*(.+)"),
    )


def _tables(doc: Document) -> Iterator[tuple[str, Table]]:
    """Every table of site types with a column `Used`, and the numbered section that it stands in."""
    section = "the file's head"
    for i, line in enumerate(doc.lines):
        underlined = i + 1 < len(doc.lines) and set(doc.lines[i + 1].strip()) == {"-"}
        if underlined and line[:1].isdigit():
            section = f"section {line.strip()!r}"
        if i and re.match(r"\s*\|\s*Site Type\s*\|\s*Used\s*\|", line):
            yield section, doc.table(i - 1, section)


def _flat(doc: Document) -> Iterator[Figure]:
    """The first row of each site type in a table with a column `Used`; later tables repeat some of them per die (SLR)."""
    rows: dict[str, tuple[str, Row, str]] = {}
    for section, table in _tables(doc):
        used = doc.column(table, ("Used",), section)
        for row in table.rows:
            rows.setdefault(row.cells[0].rstrip("*").strip(), (section, row, row.cells[used]))
    for name, sites in SITES.items():
        present = [site for site in sites if site in rows]
        if not present:
            if name in OPTIONAL:
                continue
            doc.fail(" or ".join(f'row "{site}"' for site in sites), "the tables with columns 'Site Type' and 'Used'")
        section, row, cell = rows[present[0]]
        yield Figure(name, _amount(doc, name, cell, section, row.line), section, row.line)


def _amount(doc: Document, name: str, cell: str, where: str, line: int) -> float | None:
    """A count; tiles of block RAM (there are half ones) as 18-kbit blocks."""
    read: Callable[[str], float | None] = _tiles if name == "bram_18k" else count
    try:
        return read(cell)
    except ValueError as error:
        raise doc.bad(error, name, where, line) from error


def _tiles(text: str) -> float | None:
    tiles = number(text.partition("[")[0].partition("(")[0])
    if tiles is None:
        return None
    if tiles < 0 or (2 * tiles) % 1:
        raise ValueError(f"not a number of half tiles: {text!r}")
    return int(2 * tiles)


def _hierarchy(doc: Document) -> tuple[tuple[Figure, ...], tuple[Module, ...]]:
    where = "section 'Utilization by Hierarchy'"
    at = doc.need(r"\+-", "table", where)
    table = doc.table(at, where)
    doc.column(table, ("Instance",), where)
    if not table.rows or table.rows[0].indent != 1:
        doc.fail("row of the design itself as the first", where)
    levels = sorted({row.indent for row in table.rows})
    modules = tuple(
        Module(row.cells[0], row.cells[1], _hierarchy_row(doc, table, row, where), levels.index(row.indent))
        for row in table.rows
    )
    top = table.rows[0].line
    return tuple(Figure(name, value, where, top) for name, value in modules[0].values.items()), modules[1:]


def _hierarchy_row(doc: Document, table: Table, row: Row, where: str) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, columns in HIERARCHY.items():
        at = doc.optional(table, columns, where) if name in OPTIONAL else doc.column(table, columns, where)
        if at is not None:
            found[name] = _amount(doc, name, row.cells[at], where, row.line)
    large, small = (
        _amount(doc, column, row.cells[doc.column(table, (column,), where)], where, row.line) for column in ("RAMB36", "RAMB18")
    )
    found["bram_18k"] = None if large is None or small is None else 2 * large + small
    return found


def _kernel_table(doc: Document) -> Table | None:
    at = doc.find(r"\|\s*Name\s*\|\s*LUT\s*\|\s*LUTAsMem\s*\|")
    return None if at is None or at == 0 else doc.table(at - 1, "the table of kernels")


def _kernels(doc: Document, table: Table) -> tuple[tuple[Figure, ...], tuple[Module, ...]]:
    """All kernels together (`Used Resources`); platform and budget are left out."""
    where = "the table of kernels"
    columns = {"lut": "LUT", "ff": "REG", "bram_18k": "BRAM", "uram": "URAM", "dsp": "DSP"}
    at = {name: doc.column(table, (column,), where) for name, column in columns.items()}
    rows = {row: {name: _amount(doc, name, row.cells[i], where, row.line) for name, i in at.items()} for row in table.rows}
    used = next((row for row in rows if row.cells[0] == "Used Resources"), None)
    if used is None:
        doc.fail("row 'Used Resources'", where)
    skipped = ("Platform", "User Budget", "Used Resources", "Unused Resources")
    modules = tuple(
        Module(row.cells[0], row.cells[0], values, 1 if row.indent <= 1 else 2)
        for row, values in rows.items()
        if row.cells[0] not in skipped
    )
    return tuple(Figure(name, value, where, used.line) for name, value in rows[used].items()), modules

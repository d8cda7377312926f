"""Reading the vendors' text reports: lines, boxed tables with merged header cells, and the ways they write a number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NoReturn

from dse.errors import ReportError

#: How the tools write "not known" or "does not apply"; never a number.
UNKNOWN = ("?", "-", "--", "---", "undef", "NA", "N/A", "na", "n/a", "inf", "-inf", "")
_COUNT = re.compile(r"(\d+)(?:\s*[\[(]\s*[~<]?\s*\d+(?:\.\d+)?\s*%\s*[\])])?")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_TIME = re.compile(r"([-+]?\d+(?:\.\d+)?)\s*(ps|ns|us|ms|sec|s)")
NS = {"ps": 1e-3, "ns": 1.0, "us": 1e3, "ms": 1e6, "sec": 1e9, "s": 1e9}


def count(text: str) -> int | None:
    """`58`, `58 (3%)`, `19247 [  1.64%]` as 58, 58, 19247; None where unknown; ValueError for anything else."""
    text = text.strip()
    if text in UNKNOWN:
        return None
    found = _COUNT.fullmatch(text)
    if found is None:
        raise ValueError(f"not a count: {text!r}")
    return int(found[1])


def number(text: str) -> float | None:
    """A decimal number; None where unknown; ValueError for anything else."""
    text = text.strip()
    if text in UNKNOWN:
        return None
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"not a number: {text!r}")
    return float(text)


def time_ns(text: str, unit: str = "") -> float | None:
    """`5.00 ns` in ns; `unit` applies to bare numbers; ValueError where neither says a unit."""
    text = text.strip()
    if text in UNKNOWN:
        return None
    found = _TIME.fullmatch(text if not unit else f"{text} {unit}" if _NUMBER.fullmatch(text) else text)
    if found is None:
        raise ValueError(f"not a time with a unit: {text!r}")
    return round(float(found[1]) * NS[found[2]], 9)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its line (from 1), its cells stripped, and the first cell's indentation."""

    line: int
    cells: tuple[str, ...]
    indent: int


@dataclass(frozen=True, slots=True)
class Table:
    """A boxed table; the cells of a header of several lines, merged ones included, are joined per column: `Latency max`."""

    line: int
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Document:
    """A text report: its name for errors, its lines, and the layouts that its parser knows."""

    name: str
    lines: tuple[str, ...]
    known: str
    #: the last line has no end: a number that it ends with may have lost digits
    open_ended: bool = False

    @classmethod
    def of(cls, name: str, text: str, known: str) -> Document:
        """Split a file's text."""
        return cls(name, tuple(text.splitlines()), known, not text.endswith(("\n", "\r")))

    def fail(self, wanted: str, where: str) -> NoReturn:
        """Raise ReportError: which file, what was looked for, in which section, and which layouts are known."""
        raise ReportError(f"{self.name}: no {wanted} in {where}. Known layouts: {self.known}.")

    def find(self, pattern: str, start: int = 0, stop: int | None = None) -> int | None:
        """The index of the first line that `pattern` matches (from its first character that is no blank)."""
        regex = re.compile(pattern)
        end = len(self.lines) if stop is None else stop
        return next((i for i in range(start, end) if regex.match(self.lines[i].lstrip())), None)

    def need(self, pattern: str, wanted: str, where: str, span: tuple[int, int | None] = (0, None)) -> int:
        """`find`, or ReportError."""
        found = self.find(pattern, *span)
        if found is None:
            self.fail(wanted, where)
        return found

    def field(self, pattern: str, stop: int | None = None) -> str:
        """The first group of `pattern` in the first line that holds it, stripped; "" where none does."""
        regex = re.compile(pattern)
        for line in self.lines[:stop]:
            found = regex.search(line)
            if found is not None:
                return found[1].strip()
        return ""

    def table(self, start: int, where: str, stop: int | None = None) -> Table:
        """The next table at or after the line `start`; ReportError where there is none or it is cut off."""
        end = len(self.lines) if stop is None else stop
        first = next((i for i in range(start, end) if _boxed(self.lines[i])), None)
        if first is None:
            self.fail("table", where)
        last = first
        while last < end and _boxed(self.lines[last]):
            last += 1
        return self._table(first, last, where)

    def _table(self, first: int, last: int, where: str) -> Table:
        groups: list[list[int]] = []
        for i in range(first, last):
            if _rule(self.lines[i]):
                groups.append([])
            elif groups:
                groups[-1].append(i)
        if len(groups) < 2 or groups[-1]:
            self.fail("closing line of the table (the report is cut off)", f"{where}, line {last}")
        blocks = [group for group in groups if group]
        header, body = (blocks[0], blocks[1:]) if len(blocks) > 1 else ([], blocks)
        # A table without rows: what looks like its only row is the header.
        if not header and len(groups) == 3:
            header, body = blocks[0], []
        rows = [self._row(i, where) for block in body for i in block]
        if len({len(row.cells) for row in rows}) > 1:
            self.fail("equal number of cells in every row", f"the table of {where}, line {first + 1}")
        columns = _header([self.lines[i] for i in header], self.lines[body[0][0]]) if rows else ()
        return Table(first + 1, columns, tuple(rows))

    def _row(self, i: int, where: str) -> Row:
        line = self.lines[i].strip()
        if len(line) < 2 or line[0] != "|" or line[-1] != "|":
            self.fail("whole row (the report is cut off)", f"{where}, line {i + 1}")
        cells = line[1:-1].split("|")
        return Row(i + 1, tuple(cell.strip() for cell in cells), len(cells[0]) - len(cells[0].lstrip()))

    def column(self, table: Table, names: Sequence[str], where: str) -> int:
        """The index of the one column that has one of these names; ReportError otherwise."""
        found = [i for i, column in enumerate(table.columns) if column in names]
        if len(found) != 1:
            self.fail(f"column {' or '.join(map(repr, names))}", f"{where}, line {table.line}")
        return found[0]

    def optional(self, table: Table, names: Sequence[str], where: str) -> int | None:
        """`column`, or None where the table has no such column."""
        return self.column(table, names, where) if any(name in table.columns for name in names) else None

    def bad(self, error: ValueError, wanted: str, where: str, line: int) -> ReportError:
        """The error for a cell that cannot be read."""
        return ReportError(f"{self.name}: {wanted} in {where}, line {line}: {error}. Known layouts: {self.known}.")


def _boxed(line: str) -> bool:
    """Part of a table; a row or rule that ends in its middle too, so that the table is found to be cut off."""
    line = line.strip()
    return line.startswith(("|", "+-")) or (line[:1] == "+" and line[-1:] == "+")


def _rule(line: str) -> bool:
    return set(line.strip()) <= {"+", "-"} and line.strip()[-1:] == "+"


def _header(lines: Sequence[str], row: str) -> tuple[str, ...]:
    """Join, for each column of `row`, the header cells that cover the column's whole width."""
    bars = [i for i, c in enumerate(row) if c == "|"]
    columns = [""] * (len(bars) - 1)
    for line in lines:
        marks = [i for i, c in enumerate(line) if c in "|+"]
        for left, right in pairwise(marks):
            text = line[left + 1 : right].strip()
            if text.strip("-"):
                for n, (a, b) in enumerate(pairwise(bars)):
                    if left <= a and b <= right:
                        columns[n] = f"{columns[n]} {text}".strip()
    return tuple(columns)

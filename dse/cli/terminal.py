"""Texts and tables of records in a terminal: nothing of a record is read as markup or as a control sequence."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import typer
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text


def harmless(text: object) -> str:
    """Text whose control characters are shown and not obeyed, but for line ends and tabs."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in str(text))


def say(console: Console, text: object, style: str = "") -> None:
    """Print text as it is; long lines are left to the terminal."""
    console.print(Text(harmless(text), style=style), soft_wrap=True)


def say_json(found: Any) -> None:
    """Print JSON values; NaN and infinity are refused (ValueError)."""
    typer.echo(json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False))


@dataclass(frozen=True)
class Sheet:
    """A table to print: `marked` rows stand out, columns in `numbers` are aligned right."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: Sequence[int] = ()
    numbers: Sequence[int] = ()

    def fits(self, console: Console) -> bool:
        """Whether no cell has to be broken, headings aside."""
        return not console.is_terminal or self._width(console, self._table(broken=True)) <= console.width

    def show(self, console: Console) -> None:
        """Print it. Headings are broken where the terminal is narrow; a file or a pipe gets the width that is needed."""
        table = self._table(broken=False)
        wide = self._width(console, table)
        if not console.is_terminal:
            Console(file=console.file, width=wide).print(table)
        else:
            console.print(table if wide <= console.width else self._table(broken=True))

    def _width(self, console: Console, table: Table) -> int:
        return Measurement.get(console, console.options.update(max_width=10_000), table).maximum

    def _table(self, *, broken: bool) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        for column, head in enumerate(self.heads):
            number = column in self.numbers
            text = harmless(head.replace("_", "_\n").replace(".", ".\n") if broken else head)
            table.add_column(Text(text), justify="right" if number else "left", overflow="fold")
        for place, row in enumerate(self.rows):
            table.add_row(*(Text(harmless(cell)) for cell in row), style="bold yellow" if place in self.marked else "")
        return table

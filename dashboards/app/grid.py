"""The designs as a table to sort, filter, leaf through and choose from."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dash import html

from dashboards.app.desk import Seen
from dashboards.app.pieces import breakable, empty, light
from dashboards.sight import Sight
from dashboards.state import State
from dashboards.table import Page, chosen, page, sorted_rows
from dse.errors import UsageError
from dse.metrics import METRICS


def grid(seen: Seen, state: State, lasso: Collection[int] | None, number: int) -> tuple[Any, Any]:
    """The page of this number, and words on what was narrowed."""
    sight = seen.sight
    try:
        rows = chosen(sight, state.filter, lasso)
    except UsageError as error:
        return html.P(str(error), className="empty"), _chips(sight, None, lasso)
    shown = page(sight, sorted_rows(sight, rows, state.sort), number)
    if not shown.rows:
        passes = "No design passes the filter: shorten it, or clear the lasso."
        told = passes if len(sight.columns) else "No trial has finished yet."
        return empty(told), _chips(sight, shown, lasso)
    head = html.Tr([_head(name, state.sort) for name in shown.columns])
    body = [_row(sight, state, row, texts, shown.columns) for row, texts in zip(shown.rows, shown.texts, strict=True)]
    table = html.Table([html.Thead(head), html.Tbody(body)], className="designs")
    return [html.Div(table, className="scroll"), _leafing(shown)], _chips(sight, shown, lasso)


def _head(name: str, sort: str) -> Any:
    down = sort == f"-{name}"
    mark = " ▼" if down else " ▲" if sort == name else ""
    unit = METRICS[name].unit if name in METRICS else ""
    inside = [html.Span(f"{breakable(name)}{mark}"), html.Small(unit) if unit else None]
    button = html.Button(inside, id={"type": "sort", "name": name}, type="button", n_clicks=0)
    order: Any = {"aria-sort": "descending" if down else "ascending" if mark else "none"}
    return html.Th(button, scope="col", **order)


def _row(sight: Sight, state: State, row: int, texts: tuple[str, ...], names: tuple[str, ...]) -> Any:
    trial = int(sight.columns.trials[row])
    kinds = [
        "selected" if trial == state.trial else "",
        "compared" if trial == state.other else "",
        "front" if sight.on_front[row] else "" if sight.feasible[row] else "faint",
    ]
    cells = [_cell(sight, name, text) for name, text in zip(names, texts, strict=True)]
    return light("Tr", cells, id={"type": "row", "trial": trial}, className=" ".join(filter(None, kinds)), tabIndex=0)


def _cell(sight: Sight, name: str, text: str) -> Any:
    number = {"className": "number"} if name in sight.goals.metrics or name == "trial" else {}
    return light("Td", text, **number, **({"title": text} if len(text) > 24 else {}))


def _leafing(shown: Page) -> Any:
    told = f"page {shown.number + 1:,} of {shown.pages:,}"
    back = html.Button("back", id={"type": "leaf", "to": shown.number - 1}, disabled=shown.number == 0, n_clicks=0)
    on = html.Button("on", id={"type": "leaf", "to": shown.number + 1}, disabled=shown.number + 1 >= shown.pages, n_clicks=0)
    return html.Div([back, html.Span(told), on], className="leafing")


def _chips(sight: Sight, shown: Page | None, lasso: Collection[int] | None) -> Any:
    found: list[Any] = []
    if shown is not None:
        found.append(html.Span(f"{shown.left:,} of {len(sight.columns):,}", className="quiet"))
    if lasso is not None:
        found.append(html.Button(f"{len(lasso):,} in the lasso ✕", id={"type": "free", "what": "lasso"}, n_clicks=0))
    return found

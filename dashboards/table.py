"""The designs as a table: which columns, which rows a filter leaves, in which order, and one page of texts."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from dashboards.knob import Bools, Floats, Ints, ranked
from dashboards.points import wanted
from dashboards.sight import Sight
from dse.errors import UsageError
from dse.export import knob_order
from dse.listing import STATE_WORDS, figure_text
from dse.view import STATES

#: Rows of a page.
PAGE = 20
FRONT = "on the front"
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "=": operator.eq,
    "==": operator.eq,
}
_TERM = re.compile(r"(?P<name>[^\s<>=!]+)\s*(?P<sign><=|>=|==|!=|<|>|=)\s*(?P<value>\"[^\"]*\"|[^\s]+)|(?P<word>[^\s]+)")


@dataclass(frozen=True)
class Page:
    """Some of the rows that a filter leaves. `rows` are those of the sight, `texts` their cells; `left` how many there are."""

    columns: tuple[str, ...]
    rows: tuple[int, ...]
    texts: tuple[tuple[str, ...], ...]
    left: int
    number: int
    pages: int


def columns_of(sight: Sight) -> tuple[str, ...]:
    """Trial and state, what counts, then the knobs that differ."""
    knobs = [name for name in sorted(sight.columns.knobs, key=knob_order) if _differs(sight, name)]
    return ("trial", "state", *wanted(sight), *knobs)


def _differs(sight: Sight, name: str) -> bool:
    codes = sight.columns.knobs[name].codes
    return bool(len(codes)) and bool((codes != codes[0]).any())


def state_words(sight: Sight) -> list[str]:
    """What each design is, in words."""
    words = [STATE_WORDS[state] for state in STATES]
    return [FRONT if front else words[state] for front, state in zip(sight.on_front, sight.states, strict=True)]


def chosen(sight: Sight, text: str, lasso: Collection[int] | None = None) -> Ints:
    """The rows that a filter leaves, of those in the lasso (trials; None: all).

    Terms stand side by side and must all hold: `lut<5000 accuracy>=0.95 strategy=latency`; a word alone is looked for in
    state and knobs: `front`, `io_stream`. UsageError for a column that there is none of.
    """
    keep = np.ones(len(sight.columns), dtype=np.bool_)
    if lasso is not None:
        keep &= np.isin(sight.columns.trials, np.fromiter(lasso, dtype=np.int64, count=len(lasso)))
    for term in _TERM.finditer(text):
        if term["word"] is not None:
            keep &= _holding(sight, term["word"].casefold())
        else:
            keep &= _compared(sight, term["name"], term["sign"], term["value"].strip('"'))
    return np.flatnonzero(keep)


def _holding(sight: Sight, word: str) -> Bools:
    """Rows with this text in state, trial or knobs."""
    found = np.array([word in text for text in state_words(sight)], dtype=np.bool_)
    found |= sight.columns.trials.astype(str) == word
    for knob in sight.columns.knobs.values():
        hits = [code for code, value in enumerate(knob.values) if isinstance(value, str) and word in value.casefold()]
        found |= np.isin(knob.codes, hits)
    return found


def _compared(sight: Sight, name: str, sign: str, value: str) -> Bools:
    compare = _COMPARE[sign]
    numbers = cells(sight, name)
    try:
        bound = float(value.rstrip("%").replace(",", "")) / (100 if value.endswith("%") else 1)
    except ValueError:
        bound = None
    if numbers is not None and bound is not None:
        found: Bools = compare(numbers, bound) & ~np.isnan(numbers)
        return found
    if sign not in ("=", "==", "!="):
        raise UsageError(f"{name} {sign} {value}: a number is needed to compare with.")
    if name == "state":
        same = np.array([value.casefold() in text for text in state_words(sight)], dtype=np.bool_)
    else:
        knob = sight.columns.setting(name)
        hits = [code for code, one in enumerate(knob.values) if str(one).casefold() == value.casefold()]
        same = np.isin(knob.codes, hits)
    return ~same if sign == "!=" else same


def cells(sight: Sight, name: str) -> Floats | None:
    """A column's numbers, NaN where there is none; None for a column of words. UsageError for no column."""
    if name == "trial":
        return sight.columns.trials.astype(np.float64)
    if name in sight.goals.metrics:
        return sight.columns.figure(name)
    if name == "state":
        return None
    if name not in sight.columns.knobs and name.partition(".")[0] not in sight.columns.knobs:
        raise UsageError(f"there is no column {name!r}; there are {', '.join(columns_of(sight))}.")
    return sight.columns.setting(name).numbers


def sorted_rows(sight: Sight, rows: Ints, order: str) -> Ints:
    """The rows by a column, "-name" from the largest down; what is empty comes last either way.

    "" or a column that there is none of: the front, then what is feasible, then the rest; the best first.
    """
    name, down = order.removeprefix("-"), order.startswith("-")
    try:
        numbers = cells(sight, name) if name else None
    except UsageError:
        name = ""
    if not name:
        rank = np.where(sight.on_front, -1, sight.states)[rows]
        cost = sight.costs[rows, 0] if sight.costs.shape[1] else np.zeros(len(rows))
        return rows[np.lexsort((sight.columns.trials[rows], cost, rank))]
    if numbers is None and name == "state":
        words = state_words(sight)
        numbers = np.unique(words, return_inverse=True)[1].astype(np.float64) if words else np.empty(0)
    elif numbers is None:
        codes, _ = ranked(sight.columns.setting(name))
        numbers = np.where(codes < 0, np.nan, codes.astype(np.float64))
    keys = numbers[rows]
    return rows[np.lexsort((sight.columns.trials[rows], -keys if down else keys))]


def page(sight: Sight, rows: Ints, number: int) -> Page:
    """The page of this number (from 0; the last one where there are fewer) of rows in their order."""
    names = columns_of(sight)
    pages = max(1, -(-len(rows) // PAGE))
    number = min(max(number, 0), pages - 1)
    shown = rows[number * PAGE : (number + 1) * PAGE]
    texts = tuple(tuple(_text(sight, name, int(row)) for name in names) for row in shown)
    return Page(names, tuple(int(row) for row in shown), texts, len(rows), number, pages)


def _text(sight: Sight, name: str, row: int) -> str:
    if name == "trial":
        return str(sight.columns.trials[row])
    if name == "state":
        return FRONT if sight.on_front[row] else STATE_WORDS[STATES[sight.states[row]]]
    if name in sight.goals.metrics:
        value = float(sight.columns.figure(name)[row])
        return "" if np.isnan(value) else figure_text(sight.goals.metric(name), value)
    value_ = sight.columns.knobs[name].of(row)
    if value_ is None:
        return ""
    return f"{value_:g}" if isinstance(value_, (int, float)) and not isinstance(value_, bool) else str(value_)

"""All that the front's page shows of a state, as one answer: words, cards, hints, the table's page and the picture.

The browser asks for it by itself and puts it in place (assets/front.js): a component for every cell of a table, and a picture
of ten thousand points among a page's values, would make each move of a slider take a second.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dashboards.app import cards, choice, grid, plot
from dashboards.app.desk import Desk
from dashboards.app.pieces import painted
from dashboards.state import State

#: Trials have numbers below this one.
LARGEST = 2**53


@dataclass(frozen=True)
class Asked:
    """What a browser asks: for which state, how the page looks, the metrics that have a hint, the table's page and lasso, and
    whether it wants the picture or has it already.

    `metrics` None: the browser asks while the page is being set up, for what its address says, and all figures have hints.
    """

    state: State
    look: Mapping[str, Any]
    metrics: tuple[str, ...] | None
    page: int
    lasso: tuple[int, ...] | None
    picture: bool = True

    @classmethod
    def of(cls, given: object) -> Asked:
        """From JSON; what makes no sense is passed over."""
        known: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        controls, query, look, metrics, lasso = (known.get(name) for name in ("state", "query", "look", "metrics", "lasso"))
        early = isinstance(query, str)
        return cls(
            state=State.read(query) if isinstance(query, str) else State.of(controls if isinstance(controls, Mapping) else {}),
            look=look if isinstance(look, Mapping) else {},
            metrics=None if early else tuple(n for n in metrics if isinstance(n, str)) if isinstance(metrics, list) else (),
            page=_number(known.get("page")) or 0,
            lasso=tuple(n for one in lasso if (n := _number(one)) is not None) if isinstance(lasso, list) else None,
            picture=known.get("picture") is not False,
        )


def _number(given: object) -> int | None:
    whole = isinstance(given, int) and not isinstance(given, bool) and 0 <= given < LARGEST
    return given if whole and isinstance(given, int) else None


def answer(desk: Desk, asked: Asked) -> bytes:
    """JSON: `parts` and `hints` hold pieces of the page by their ids and metrics, `figure` the picture, `query` the address,
    `version` that of the records, `stated` of how many designs each judge has said something.

    The table and the picture are made for the tab that shows them alone.
    """
    state = asked.state if asked.metrics is not None else choice.settled(desk, asked.state)
    seen = desk.see(state)
    metrics = choice.known_figures(seen.feed, seen.snapshot) if asked.metrics is None else asked.metrics
    parts = {
        "headline": cards.headline(seen, state),
        "picks": cards.picks(seen, state),
        "part-note": plot.part_note(seen, state),
    }
    told: dict[str, Any] = {
        "parts": parts,
        "hints": {metric: cards.hint(seen, state, metric) for metric in metrics if metric in seen.sight.goals.metrics},
        "query": plot.query(desk, state),
        "version": seen.snapshot.version,
        "stated": {
            judge.name: f"{count:,} of {seen.snapshot.finished:,} designs" for judge, count in seen.snapshot.stated.items()
        },
    }
    if state.tab == "front":
        parts["table"], parts["chips"] = grid.grid(seen, state, asked.lasso, asked.page)
        if asked.picture:
            told["figure"] = painted(plot.front(desk, seen, state), asked.look)
    return encoded(told)


def tip(desk: Desk, state: State, trial: int) -> bytes:
    """JSON: what hovering over a trial's point says, null where there is no such trial."""
    return encoded(plot.told(desk.see(state), trial))


def encoded(told: object) -> bytes:
    """Pieces of a page, arrays and plain values as JSON; ValueError where a number is none."""
    return json.dumps(told, default=_plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    """What JSON does not know: pieces of a page; arrays, packed as plotly reads them; numpy's numbers."""
    if hasattr(value, "to_plotly_json"):
        return value.to_plotly_json()
    if not isinstance(value, np.ndarray):
        return value.item()
    if value.dtype.kind not in "iuf":
        return value.tolist()
    kind = "f8" if value.dtype.kind == "f" or abs(value).max(initial=0) >= 2**31 else "i4"
    return {"dtype": kind, "bdata": base64.b64encode(value.astype(f"<{kind}").tobytes()).decode()}

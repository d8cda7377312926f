"""Parts of the page that are text: heading, counts, tables. Everything that comes from a record is escaped here."""

from __future__ import annotations

from html import escape

from dse.listing import STATE_WORDS, Listing, front_listing
from dse.record import Failure
from dse.run import Run
from dse.summary import failures
from dse.view import View

#: Characters of a message, and of the end of a log, that a page shows.
MESSAGE, LOG = 600, 4000


def heading(run: Run, view: View) -> str:
    """The study's name and under what terms its figures stand."""
    judge, goals = view.judge, view.goals
    clock = "swept" if judge.clock_ns is None else f"{judge.clock_ns:g} ns"
    wanted = ", ".join(f"{objective.metric} {objective.direction}" for objective in goals.objectives)
    facts = {
        "judge": judge.name,
        "part": judge.part,
        "clock": clock,
        "objectives": wanted,
        "limits": ", ".join(str(limit) for limit in goals.limits) or "none",
    }
    rows = "".join(f"<div><dt>{name}</dt><dd>{escape(text)}</dd></div>" for name, text in facts.items())
    return f"<h1>{escape(run.name)}</h1><dl class='facts'>{rows}</dl>"


def tiles(run: Run, view: View) -> str:
    """How many designs are in which state; states that do not occur are left out, the front never."""
    found = {"finished": len(view.standings), "on the front": len(view.front)}
    found |= {STATE_WORDS[state]: count for state, count in view.counts.items()}
    found |= {"begun, not finished": len(run.running)}
    kept = {name: count for name, count in found.items() if count or name in ("finished", "on the front", "failed")}
    cells = "".join(f"<div class='tile'><b>{count:,}</b><span>{name}</span></div>" for name, count in kept.items())
    return f"<div class='tiles'>{cells}</div>"


def front_table(view: View) -> str:
    """The front as a table that sorts on a click; the knee is marked."""
    listing = front_listing(view)
    if not listing.rows:
        return ""
    knee = view.knee
    head = "".join(
        f"<th scope='col' aria-sort='none'><button type='button'>{_breakable(column.title)}"
        f"{f'<small>{escape(column.unit)}</small>' if column.unit else ''}</button></th>"
        for column in listing.columns
    )
    rows = "".join(
        f"<tr{' class=knee' if knee is not None and row[0] == knee.record.trial else ''}>{_cells(listing, n)}</tr>"
        for n, row in enumerate(listing.rows)
    )
    common = ", ".join(f"{name} {cell}" for name, cell in listing.common.items())
    same = f"<p class='quiet'>The same in all: {escape(common)}.</p>" if common else ""
    caption = "The front. A click on a heading sorts; the highlighted row is the knee."
    table = f"<table class='sortable' id='front-table'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f"<h2>Designs of the front</h2><p class='quiet'>{caption}</p><div class='scroll'>{table}</div>{same}"


def _breakable(name: str) -> str:
    """A long name may continue on the next line after an underscore or a dot."""
    return escape(name).replace("_", "_<wbr>").replace(".", ".<wbr>")


def _cells(listing: Listing, row: int) -> str:
    found = []
    for column, cell, text in zip(listing.columns, listing.rows[row], listing.texts[row], strict=True):
        number = isinstance(cell, (int, float)) and not isinstance(cell, bool)
        value = f" data-value='{cell!r}'" if number else ""
        found.append(f"<td{' class=number' if number or column.metric else ''}{value}>{escape(text)}</td>")
    return "".join(found)


def failure_table(view: View) -> str:
    """Every different failure once: kind, stage, the trials it hit, its message and the end of its log."""
    found = failures(view)
    if not found:
        return ""
    rows = "".join(
        f"<tr><td>{row.failure.kind}</td><td>{escape(row.failure.stage)}</td><td>{_trials(row.trials)}</td>"
        f"<td>{_message(row.failure)}</td></tr>"
        for row in found
    )
    head = "".join(f"<th scope='col'>{name}</th>" for name in ("kind", "stage", "trials", "message"))
    return f"<div class='scroll'><table id='failures'><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def _trials(numbers: tuple[int, ...]) -> str:
    more = f" and {len(numbers) - 12} more" if len(numbers) > 12 else ""
    return f"{', '.join(str(number) for number in numbers[:12])}{more}"


def _message(failure: Failure) -> str:
    text = failure.message
    shown = text if len(text) <= MESSAGE else f"{text[:MESSAGE]} … ({len(text):,} characters; `dse show` has all)"
    log = f"<details><summary>log</summary><pre>{escape(failure.log[-LOG:])}</pre></details>" if failure.log else ""
    return f"{escape(shown)}{log}"

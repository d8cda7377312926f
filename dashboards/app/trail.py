"""How the search goes: what runs now, when it ends, what it found over time, what matters, what failed and why."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from dash import html

from dashboards import figures
from dashboards.app.cards import objective_of
from dashboards.app.desk import Desk, Seen
from dashboards.app.pieces import badge, card, empty, needs_webgl, sheet, shown
from dashboards.importance import importance
from dashboards.pace import remaining_s, since_s
from dashboards.sight import Sight
from dashboards.state import State
from dse.errors import FAILURE_KINDS
from dse.listing import STATE_WORDS, duration_text

#: Failures and running trials that are listed; messages are cut.
LISTED, MESSAGE = 40, 600
#: Figures in cards of half the page's width.
NARROW = ("hypervolume", "time", "stages", "failures")


def pulse(seen: Seen) -> list[Any]:
    """Whether the sweep goes on, how far it has come, what runs and when it will end."""
    snapshot = seen.snapshot
    target = target_of(seen)
    done = f"{snapshot.finished:,} of {target:,} trials" if target else f"{snapshot.finished:,} trials"
    if not snapshot.going_on:
        left = f"; {len(snapshot.running)} begun and not finished" if snapshot.running else ""
        word = "finished" if target and snapshot.finished >= target else "not running"
        return [html.Span(className="dot"), html.Span(f"{word}: {done}{left}")]
    found = [html.Span(className="dot live"), html.Span(f"running: {done}")]
    left_s = None if not target else remaining_s(seen.feed.columns(seen.judge), target, snapshot.begun)
    if left_s is not None:
        found.append(html.Span(f"about {duration_text(max(left_s, 1.0))} left", className="quiet"))
    elif target and snapshot.finished >= target:
        found.append(html.Span("figures are added: the front as built, or by dse synth", className="quiet"))
    return found


def target_of(seen: Seen) -> int:
    """How many trials the sweep was asked for; 0 where its study does not say."""
    target = seen.feed.run.study.get("trials", 0)
    return target if isinstance(target, int) and not isinstance(target, bool) and target > 0 else 0


def alerts(seen: Seen) -> list[Any]:
    """What of the files could not be read."""
    snapshot = seen.snapshot
    if not snapshot.lost:
        return []
    lines = "1 line" if snapshot.lost == 1 else f"{snapshot.lost:,} lines"
    mend = "Restore the file, or remove them: their trials run again."
    head = f"{lines} of {seen.feed.path} cannot be read and are left out. {mend}"
    return [html.Div([html.P(head), *(html.P(text, className="quiet") for text in snapshot.trouble)], className="alert")]


def trail(desk: Desk, seen: Seen, state: State, look: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """All that the page on the search shows, by name: texts, and figures as it draws them."""
    sight = seen.sight
    others, left = desk.beside(state)
    every = [sight, *others]
    goal = sight.goals.objectives[objective_of(sight, state)].metric
    key = ("importance", sight.name, seen.snapshot.version, sight.judge)
    share = desk.keep(key, lambda: importance(sight))
    apart = f"{', '.join(left)}: another judge or other objectives, not drawn here." if left else ""
    drawn = {
        "hypervolume": figures.hypervolume_curves(every),
        "time": figures.hypervolume_curves(every, over_time=True),
        "importance": figures.importance_map(sight, share),
        "slices": figures.slices(sight, goal),
        "parallel": needs_webgl(figures.parallel_coordinates(sight), sight, look),
        "stages": figures.stage_bars(sight),
        "failures": figures.failure_bars(sight),
    }
    texts = {
        "now": _now(seen),
        "counts": _counts(sight),
        "apart": html.P(apart, className="quiet"),
        "messages": _failures(sight),
    }
    return texts, {name: shown(one, look, narrow=name in NARROW) for name, one in drawn.items()}


def laid_out(texts: dict[str, Any], drawn: dict[str, Any]) -> Any:
    """The page with these texts, and room for these figures: what is new later is put in its place (assets/graphs.js)."""
    by = {name: html.Div(text, id=f"search-{name}") for name, text in texts.items()}
    for name, one in drawn.items():
        by[name] = html.Div(id=f"search-{name}", className="figure", style={"height": f"{one['layout'].get('height', 420)}px"})
    note = html.P(
        "The share of the variance of ranks, among designs that a model has not seen, that is a knob's doing. The model adds "
        "one effect per knob: what knobs do only together is in none of the shares, and missing from what is explained.",
        className="quiet",
    )
    found = [
        card(by["now"]),
        card(by["counts"]),
        card(by["hypervolume"], by["apart"]),
        card(by["time"]),
        card(by["importance"], note, wide=True),
        card(by["slices"], wide=True),
        card(by["parallel"], wide=True),
        card(by["stages"]),
        card(by["failures"]),
        card(html.H2("Failures and their messages"), by["messages"], wide=True),
    ]
    return html.Div(found, className="cards")


def _now(seen: Seen) -> Any:
    running = seen.snapshot.running[-LISTED:]
    head = html.H2("Running now" if seen.snapshot.going_on else "Begun and not finished")
    if not running:
        target = target_of(seen)
        full = bool(target) and seen.snapshot.finished >= target
        begins = "All trials are finished; figures are added to them." if full else "The next trial is about to begin."
        idle = begins if seen.snapshot.going_on else "Nothing is left open."
        return html.Div([head, html.P(idle, className="quiet")])
    now = time.time()
    rows = []
    for asked in running:
        since = since_s(asked, now)
        knobs = ", ".join(f"{name} {value}" for name, value in asked.design.knobs.items())
        told_since = duration_text(max(since, 1.0)) if seen.snapshot.going_on and not math.isnan(since) else asked.time[:16]
        rows.append([str(asked.trial), told_since, knobs])
    told = [] if seen.snapshot.going_on else [html.P("The same `dse run` goes on with them.", className="quiet")]
    return html.Div([head, *told, sheet(["trial", "since", "knobs"], rows, numbers=(0,))])


def _counts(sight: Sight) -> Any:
    rows = [[STATE_WORDS[state], f"{count:,}"] for state, count in sight.counts.items() if count]
    rows.append(["on the front", f"{len(sight.front):,}"])
    proven = int(sight.as_built[sight.front].sum())
    rows.append(["of them emulated as built", f"{proven:,}"])
    return html.Div([html.H2("Designs"), sheet(["", "designs"], rows, numbers=(1,))])


def _failures(sight: Sight) -> Any:
    columns = sight.columns
    codes = np.unique(columns.failure[columns.failure >= 0])
    if not len(codes):
        return empty("No trial failed.")
    order = sorted(codes.tolist(), key=lambda code: FAILURE_KINDS.index(columns.failures[code].kind))
    rows = []
    for code in order[:LISTED]:
        failure = columns.failures[code]
        hits = columns.trials[columns.failure == code]
        more = f" and {len(hits) - 8:,} more" if len(hits) > 8 else ""
        trials = ", ".join(map(str, np.sort(hits)[:8].tolist())) + more
        inside: list[Any] = [html.P(failure.message[:MESSAGE], className="message")]
        if failure.log.strip():
            inside.append(html.Details([html.Summary("log"), html.Pre(failure.log)]))
        rows.append([badge(failure.kind, "warn"), failure.stage, f"{len(hits):,}", trials, html.Div(inside)])
    told = sheet(["kind", "stage", "trials", "which", "message"], rows, numbers=(2,), name="failures")
    left = len(order) - LISTED
    return html.Div([told, html.P(f"{left:,} more kinds of message", className="quiet") if left > 0 else None])

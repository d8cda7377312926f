"""The front as the page draws it, what hovering over it says, and the address of what is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from dash import html

from dashboards import figures
from dashboards.app import cards, choice, layout
from dashboards.app.desk import Desk, Seen
from dashboards.points import settings, wanted
from dashboards.state import State
from dse.listing import figure_text


def front(desk: Desk, seen: Seen, state: State) -> dict[str, Any]:
    """The front as the page draws it, as plain data: with what other judges and other runs say of the same figures."""
    sight = seen.sight
    own = choice.own_choice(seen.feed)
    logs = {"": None, "log": True, "linear": False}
    marked = [(trial, name) for trial, name in ((state.trial, "selected"), (state.other, "compared")) if trial is not None]
    names = {*sight.columns.knobs, *sight.goals.metrics}
    what = figures.Picture(
        x=state.x if state.x in sight.goals.metrics else own.x,
        y=state.y if state.y in sight.goals.metrics else own.y,
        z=state.z if state.z in sight.goals.metrics else "",
        log_x=logs[state.xscale],
        log_y=logs[state.yscale],
        color=state.color if state.color in names else "",
        symbol=state.symbol if state.symbol in sight.columns.knobs else "",
        hovers=False,
        marked=tuple(marked),
    )
    margin = {"l": 64, "r": 20, "t": 64, "b": 48}
    more = {"hovermode": "closest", "clickmode": "event", "uirevision": "kept", "margin": margin}
    if what.z:
        deep: dict[str, Any] = figures.in_space(sight, what).update_layout(height=640, **more).to_plotly_json()
        return deep
    drawn = figures.sketch(sight, what)
    if drawn["data"]:
        if state.others != "no":
            figures.annotate(drawn, sight, desk.elsewhere(state), what)
        figures.overlay(drawn, desk.beside(state)[0], what)
    drawn["layout"] |= {"height": 540, **more}
    return drawn


def part_note(seen: Seen, state: State) -> Any:
    """What another part than the judge's means."""
    if "part" in seen.wrong:
        return html.Span(seen.wrong["part"], className="wrong")
    if state.part and state.part.casefold() not in seen.judge.part.casefold():
        return f"Budgets in per cent are of {state.part}; the figures stay those for {seen.judge.part}."
    return ""


def query(desk: Desk, state: State) -> str:
    """The address of this view, without what the study or the page chooses by itself."""
    name, feed = desk.feed(state)
    own = choice.own_choice(feed)
    limits = {limit.metric: layout.limit_text(limit) for limit in feed.run.goals.limits}
    chosen: dict[str, Any] = {key: "" for key in ("judge", "x", "y", "best") if getattr(state, key) == getattr(own, key)}
    budgets = {metric: text for metric, text in state.budgets.items() if text != limits.get(metric, "")}
    return replace(state, **chosen, run=name if len(desk.feeds) > 1 else "", budgets=budgets).query


def told(seen: Seen, trial: int) -> Any:
    """What hovering over a trial's point says; None where there is no such trial."""
    sight = seen.sight
    row = sight.columns.row(trial)
    if row is None:
        return None
    facts = []
    for name in wanted(sight):
        value = float(sight.columns.figure(name)[row])
        if not np.isnan(value):
            facts.append(html.Div([html.Dt(name), html.Dd(html.B(figure_text(sight.goals.metric(name), value)))]))
    knobs = [html.Div([html.Dt(name), html.Dd(str(value))]) for name, value in settings(sight, row).items()]
    over = [html.P(f"over {limit}", className="wrong") for limit, _ in sight.violated(row)]
    head = html.Div([html.B(f"trial {trial}"), *cards.states(sight, row)], className="row")
    return html.Div([head, html.Dl(facts), *over, html.Dl(knobs, className="quiet")], className="tip")

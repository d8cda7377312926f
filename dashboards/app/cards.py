"""The answer to "what shall I build?": a sentence, three designs, and what each budget means."""

from __future__ import annotations

from typing import Any

import numpy as np
from dash import html

from dashboards.app.desk import Seen
from dashboards.app.pieces import badge, share, value
from dashboards.points import wanted
from dashboards.sight import Binding, Sight
from dashboards.state import State, bounded_above
from dashboards.table import FRONT
from dse.goals import Limit
from dse.listing import STATE_WORDS, figure_text, title
from dse.view import STATES


def objective_of(sight: Sight, state: State) -> int:
    """The place of the objective that "best" is about."""
    names = [objective.metric for objective in sight.goals.objectives]
    return names.index(state.best) if state.best in names else 0


def headline(seen: Seen, state: State) -> Any:
    """What there is within the budgets, which budget holds the best design back, or how near the nearest design is."""
    sight, place = seen.sight, objective_of(seen.sight, state)
    lines = [html.P(_found(sight), className="" if len(sight.front) else "warn")]
    bound = sight.binding(place)
    if len(sight.front) and sight.goals.limits:
        lines.append(html.P(_bound(sight, bound, place)))
    elif bound is not None:
        lines.append(html.P(_loosen(sight, bound)))
    return html.Div(lines, className="headline")


def _found(sight: Sight) -> str:
    counts, trials = sight.counts, len(sight.columns)
    if len(sight.front):
        feasible = int(sight.feasible.sum())
        there = "is" if len(sight.front) == 1 else "are"
        return f"{feasible:,} of {trials:,} designs keep all budgets; {len(sight.front):,} of them {there} on the front."
    if not trials:
        return "No trial has finished yet: the page fills as the sweep goes on."
    if counts["failed"] == trials:
        return f"All {trials:,} trials failed: the Search tab tells why."
    if sight.nearest is not None:
        row, limit, over = sight.nearest
        trial = sight.columns.trials[row]
        return f"No feasible design: the nearest, trial {trial}, violates {limit} by {_percent(over)}."
    if counts["unjudged"]:
        return (
            f"No feasible design: {sight.judge.synthesizer} has not stated all figures of any design yet. "
            "Choose another judge, or have it state them with `dse synth`."
        )
    return (
        f"No feasible design: {counts['failed']:,} of {trials:,} trials failed, {counts['pruned']:,} were stopped early. "
        "The Search tab tells why."
    )


def _percent(over: float) -> str:
    return f"{100 * over:.3g} %" if over < 9.995 else f"{100 * over:,.0f} %"


def _bound(sight: Sight, bound: Binding | None, place: int) -> str:
    objective = sight.goals.objectives[place]
    if bound is None:
        return f"No budget holds the best {objective.metric} back."
    metric = sight.goals.metric(objective.metric)
    row = bound.row
    reached = float(sight.columns.figure(objective.metric)[row])
    trial = sight.columns.trials[row]
    more = "less" if bound.limit.at_least is not None else "more"
    told = (
        f"{bound.limit} binds: trial {trial} has {objective.metric} {figure_text(metric, reached)} and needs "
        f"{_need(sight, bound)} ({_percent(bound.over)} {more})"
    )
    if abs(bound.reach - reached) > 1e-12:
        told += f"; without this budget {figure_text(metric, bound.reach)} can be had"
    return f"{told}."


def _loosen(sight: Sight, bound: Binding) -> str:
    trial = sight.columns.trials[bound.row]
    return f"Trial {trial} keeps every budget but {bound.limit}: it needs {_need(sight, bound)}."


def _need(sight: Sight, bound: Binding) -> str:
    """The figure that a design beyond a limit has."""
    name = bound.limit.metric
    return f"{name} {figure_text(sight.goals.metric(name), float(sight.columns.figure(name)[bound.row]))}"


def picks(seen: Seen, state: State) -> list[Any]:
    """The best design within the budgets, the knee of the front, and what was selected."""
    sight, place = seen.sight, objective_of(seen.sight, state)
    goal = sight.goals.objectives[place]
    found = [
        _pick(sight, sight.best(place), f"Best {goal.metric} within budget", "best"),
        _pick(sight, sight.knee, "Knee of the front", "knee"),
    ]
    row = None if state.trial is None else sight.columns.row(state.trial)
    if row is None:
        told = "Click a point, or a row of the table: the design shows here. The lasso narrows the table."
        if state.trial is not None:
            told = f"Trial {state.trial} has no record yet."
        return [*found, html.Section([html.H3("Selected"), html.P(told, className="quiet")], className="pick selected")]
    return [*found, _pick(sight, row, "Selected", "selected")]


def _pick(sight: Sight, row: int | None, what: str, kind: str) -> Any:
    if row is None:
        told = "Nothing is feasible: loosen a budget on the left." if sight.nearest is not None else "There is none yet."
        return html.Section([html.H3(what), html.P(told, className="quiet")], className=f"pick {kind}")
    trial = int(sight.columns.trials[row])
    facts = []
    for name in wanted(sight):
        number = float(sight.columns.figure(name)[row])
        text = ["not stated"] if np.isnan(number) else value(sight.goals.metric(name), number, sight.goals.resources)
        facts.append(html.Div([html.Dt(title(sight.goals.metric(name)).removesuffix(" [fraction]")), html.Dd(text)]))
    where = {"where": kind, "trial": trial}
    buttons = [
        html.Button("details", id={"type": "open", **where}, type="button", n_clicks=0),
        html.Button("compare", id={"type": "compare", **where}, type="button", n_clicks=0, title="with the selected design"),
    ]
    if kind != "selected":
        buttons.insert(0, html.Button("select", id={"type": "pick", **where}, type="button", n_clicks=0))
    return html.Section(
        [
            html.Div([html.H3(what), html.Span(f"trial {trial}", className="trial"), *states(sight, row)], className="row"),
            html.Dl(facts),
            html.P(_room(sight, row), className="room"),
            html.Div(buttons, className="buttons"),
        ],
        className=f"pick {kind}",
    )


def states(sight: Sight, row: int) -> list[Any]:
    """What a design is, in a word or two."""
    if sight.on_front[row]:
        proof = [] if sight.as_built[row] else [badge("not emulated as built yet", "warn")]
        return [badge(FRONT, "front"), *proof]
    word = STATE_WORDS[STATES[sight.states[row]]]
    return [badge("dominated" if sight.feasible[row] else word, "" if sight.feasible[row] else "warn")]


def _room(sight: Sight, row: int) -> str:
    violated = sight.violated(row)
    if violated:
        return "; ".join(f"{_percent(over)} beyond {limit}" for limit, over in violated)
    tight = sight.tightest(row)
    if tight is None:
        return "no budget is set"
    limit, room = tight
    return f"tightest: {limit}, {f'{_percent(room)} left' if room > 0 else 'used up'}"


def hint(seen: Seen, state: State, metric: str) -> Any:
    """What a budget means: in the part's terms, how many designs it alone would let through, and how the best uses it."""
    if metric in seen.wrong:
        return html.Span(seen.wrong[metric], className="wrong")
    sight = seen.sight
    limit = next((limit for limit in sight.goals.limits if limit.metric == metric), None)
    values = sight.columns.figure(metric)
    known = values[~np.isnan(values)]
    if limit is None:
        if not len(known):
            return "not stated by this judge"
        low, high = (figure_text(sight.goals.metric(metric), float(end)) for end in (known.min(), known.max()))
        return f"{low} to {high} found" if low != high else f"{low} in all designs"
    words = _terms(limit, sight)
    place = sight.goals.limits.index(limit)
    kept = int((sight.shortfalls[:, place] <= 0).sum())
    best = sight.best(objective_of(sight, state))
    left = "" if best is None else _left(-float(sight.shortfalls[best, place]))
    bound = sight.binding(objective_of(sight, state))
    binds = [badge("binds", "bind"), " "] if bound is not None and bound.limit == limit else []
    return [*binds, " · ".join(part for part in (words, f"{kept:,} design{'' if kept == 1 else 's'}", left) if part)]


def _terms(limit: Limit, sight: Sight) -> str:
    total = sight.goals.resources.get(limit.metric, 0)
    bound = limit.bound(sight.goals.resources)
    if limit.at_most_percent is not None:
        return f"= {figure_text(sight.goals.metric(limit.metric), bound)} of {total:,}"
    return f"= {share(bound / total)} of the part" if total else ""


def _left(room: float) -> str:
    return "best uses all of it" if room < 5e-4 else f"best leaves {_percent(room)}"


def scales(seen: Seen, metrics: list[str]) -> dict[str, Any]:
    """For each figure the values that its slider goes through, as texts and numbers, and which way it bounds."""
    found = {}
    for metric in metrics:
        values = seen.sight.columns.figure(metric)
        known = np.unique(values[~np.isnan(values)])
        most = bounded_above(metric, seen.feed.run.goals)
        if len(known) > 98:
            known = np.unique(np.quantile(known, np.linspace(0, 1, 99), method="higher" if most else "lower"))
        numbers = [_rounded(float(one), most=most) for one in known]
        total = seen.sight.goals.resources.get(metric, 0)
        found[metric] = {"numbers": numbers, "texts": [f"{number:.12g}" for number in numbers], "most": most, "total": total}
    return found


def _rounded(number: float, *, most: bool) -> float:
    """A value with four digits that still admits the design it was taken from."""
    if number == 0 or number.is_integer():
        return number
    step = 10.0 ** (np.floor(np.log10(abs(number))) - 3)
    return float(f"{(np.ceil(number / step) if most else np.floor(number / step)) * step:.12g}")

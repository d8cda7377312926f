"""What a page shows where nothing is chosen, and what of a choice a run can show."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dashboards.app.desk import Desk
from dashboards.feed import Feed, Snapshot
from dashboards.state import State


def own_choice(feed: Feed) -> State:
    """What the page shows where nothing is chosen: the first objective against LUT, or another one, by the study's judge.

    Of the costs LUT are what every design has; DSP or block RAM are 0 in many.
    """
    names = [objective.metric for objective in feed.run.goals.objectives]
    others = sorted(names[1:], key=lambda name: name != "lut")
    return State(judge=feed.run.goals.judge.name, y=names[0], x=(others or names)[0], best=names[0])


def settled(desk: Desk, state: State) -> State:
    """A state as the page's controls can show it: without axes, colours and the like that this run has none of."""
    _, feed = desk.feed(state)
    figures = known_figures(feed, feed.refresh())
    knobs = feed.columns(feed.run.goals.judge).knobs
    known = {"x": figures, "y": figures, "z": figures, "color": [*knobs, *figures], "symbol": knobs}
    gone: dict[str, Any] = {name: "" for name, names in known.items() if getattr(state, name) not in names}
    return replace(state, **gone)


def known_figures(feed: Feed, snapshot: Snapshot) -> list[str]:
    """The figures that can be plotted or bounded: objectives, limited ones, and all that some judge has stated."""
    goals = feed.run.goals
    named = {o.metric for o in goals.objectives} | {limit.metric for limit in goals.limits}
    for judge in snapshot.judges:
        named |= {name for name, cells in feed.columns(judge).figures.items() if len(cells)}
    return [name for name in goals.metrics if name in named]

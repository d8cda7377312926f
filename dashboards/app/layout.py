"""The page's parts and controls; what they show comes from the callbacks."""

from __future__ import annotations

from typing import Any

from dash import dcc, html

from dashboards.app import choice
from dashboards.app.cards import scales
from dashboards.app.desk import Desk
from dashboards.app.pieces import breakable
from dashboards.app.trail import alerts, pulse
from dashboards.feed import Feed, Snapshot
from dashboards.points import plain
from dashboards.state import State
from dse.export import knob_order
from dse.goals import Limit
from dse.listing import SOFTMAX, STREAMED
from dse.metrics import Judge, Metric
from dse.parts import PARTS

#: Milliseconds between two looks at a run that goes on, and at one that does not: it may be begun again.
BEAT, IDLE = 2000, 10_000
#: Figures that budgets are usually given for.
USUAL = ("accuracy", "dsp", "lut", "ff", "bram_18k", "latency_ns", "interval_cycles")


def skeleton() -> Any:
    """What is there before the address is known: an empty desk."""
    reading = html.P("reading the records …", className="empty")
    told = [dcc.Store(id=name) for name in ("back", "state-design", "state-search", "search-figures")]
    return html.Div([dcc.Location(id="place", refresh=False), *told, html.Div(reading, id="desk")], id="app")


def furnish(desk: Desk, state: State) -> list[Any]:
    """The whole page for the state in its address."""
    name, feed = desk.feed(state)
    snapshot = feed.refresh()
    judge = desk.judge(state, snapshot)
    figures = choice.known_figures(feed, snapshot)
    limits = {limit.metric: limit_text(limit) for limit in feed.run.goals.limits}
    state = choice.settled(desk, state)
    seen = desk.see(state)
    stores: dict[str, Any] = {"study": {"limits": limits}, "sort": state.sort, "version": snapshot.version}
    stores |= {"state": None, "scales": scales(seen, figures)}
    return [
        *(dcc.Store(id=key, data=data) for key, data in stores.items()),
        dcc.Interval(id="beat", interval=beat(snapshot)),
        html.Div(id="sink", hidden=True),
        _bar(desk, name, pulse(seen)),
        html.Div(
            [
                _side(feed, snapshot, state, judge, figures),
                html.Main(
                    [
                        html.Div(alerts(seen), id="alerts"),
                        _tabs(state),
                        _front(feed, state, figures, single=len(snapshot.judges) == 1),
                        _design(state),
                        _panel(html.Div(id="search"), name="search", tab=state.tab),
                        html.Footer(_notes(feed)),
                    ]
                ),
            ],
            className="columns",
        ),
    ]


def _panel(*children: Any, name: str, tab: str) -> Any:
    """What a tab shows; the browser changes tabs by itself."""
    return html.Div(children, id=f"panel-{name}", className="panel", hidden=name != tab)


def _notes(feed: Feed) -> str:
    """What every figure leaves out, by what the study asks for."""
    if _asked(feed, "workload").get("kind") == "trees":  # no softmax to leave out
        return ""
    streamed = "io_stream" in str(_asked(feed, "space").get("io_type"))
    return f"{SOFTMAX} {STREAMED}" if streamed else SOFTMAX


def _asked(feed: Feed, part: str) -> dict[str, Any]:
    """That part of what the study asks for, empty where the file does not say it."""
    asked = feed.run.study.get("asked")
    found = asked.get(part) if isinstance(asked, dict) else None
    return found if isinstance(found, dict) else {}


def _bar(desk: Desk, name: str, how: list[Any]) -> Any:
    runs = dcc.Dropdown(list(desk.feeds), name, id="run", clearable=False, searchable=False, className="runs")
    kept = runs if len(desk.feeds) > 1 else html.Div([runs], hidden=True)
    return html.Header(
        [
            html.Div([html.Span("dse", className="brand"), html.H1(name, title=name)], className="name"),
            kept,
            html.Div(how, id="pulse", className="pulse", role="status"),
            html.Div(
                [
                    html.A("table as CSV", id="csv", href="/get/table", className="button", download=""),
                    html.Button("copy link", id="share", title="the address holds this very view", type="button"),
                    html.Button("light / dark", id="theme", type="button"),
                ],
                className="buttons",
            ),
        ],
        className="bar",
    )


def _tabs(state: State) -> Any:
    names = {"front": "Front", "design": "Design", "search": "Search"}
    options = [{"label": label, "value": value} for value, label in names.items()]
    return dcc.RadioItems(options, state.tab, id="tab", className="tabs", inline=True)


def _side(feed: Feed, snapshot: Snapshot, state: State, judge: Judge, figures: list[str]) -> Any:
    goals = feed.run.goals
    asked = {limit.metric for limit in goals.limits} | {o.metric for o in goals.objectives}
    budgets = [name for name in figures if goals.metrics[name].better or name in asked]
    first = asked | set(USUAL) | set(state.budgets)
    shown, more = [n for n in budgets if n in first], [n for n in budgets if n not in first]
    texts = {limit.metric: limit_text(limit) for limit in goals.limits} | dict(state.budgets)
    rows = [_budget(goals.metric(name), texts.get(name, "")) for name in shown]
    rest = html.Details([html.Summary("more figures"), *(_budget(goals.metric(name), texts.get(name, "")) for name in more)])
    objectives = [{"label": plain(o.metric), "value": o.metric} for o in goals.objectives]
    best = state.best if state.best in {o.metric for o in goals.objectives} else objectives[0]["value"]
    named = dict.fromkeys([*PARTS, *([state.part] if state.part else [])])  # one that is not known is told of below
    devices = [{"label": f"the study's: {judge.part}", "value": ""}, *({"label": name, "value": name} for name in named)]
    return html.Aside(
        [
            html.H2("Judged by"),
            html.Div(judges(snapshot, judge.name), id="judges-box"),
            html.H2("Part"),
            dcc.Dropdown(devices, state.part, id="part", clearable=False, className="part", optionHeight="auto"),
            html.Div(id="part-note", className="hint"),
            html.Div([html.H2("Budgets"), html.Button("as in the study", id="reset", type="button")], className="row"),
            *rows,
            rest if more else None,
            html.H2("Best means"),
            dcc.Dropdown(objectives, best, id="best", clearable=False, searchable=False),
        ],
        className="side",
    )


def beat(snapshot: Snapshot) -> int:
    """Milliseconds until the run is looked at again."""
    return BEAT if snapshot.going_on else IDLE


def judges(snapshot: Snapshot, chosen: str) -> Any:
    """The judges to choose from."""
    options = [{"label": _judge(known), "value": known.name} for known in snapshot.judges]
    return dcc.RadioItems(options, chosen, id="judge", className="judges")


def _judge(judge: Judge) -> Any:
    clock = "clock swept" if judge.clock_ns is None else f"{judge.clock_ns:g} ns"
    fit = f" · calibrated: {judge.calibration}" if judge.calibration else ""
    lines = [
        html.B(f"{judge.synthesizer}: {judge.tool} {judge.version}"),
        html.Span(f"{judge.level} · {judge.part} · {clock}{fit}"),
        html.Span(className="stated"),  # of how many designs it has said something: assets/front.js
    ]
    return html.Span(lines, className="judge", title=judge.name)


def limit_text(limit: Limit) -> str:
    """A limit's bound as a budget's field shows it: `50 %`, `5000`."""
    if limit.at_most_percent is not None:
        return f"{limit.at_most_percent:.12g} %"
    return f"{limit.at_least if limit.at_most is None else limit.at_most:.12g}"


def _budget(figure: Metric, text: str) -> Any:
    metric, unit = figure.name, figure.unit
    told = "" if unit in ("fraction", "0 or 1") or metric in (unit.lower(), f"latency_{unit}") else unit
    label = [html.Span(breakable(metric)), html.Small(told)]
    return html.Div(
        [
            html.Label(label, title=figure.meaning),
            dcc.Input(id={"type": "field", "metric": metric}, value=text, placeholder="no limit", debounce=0.4, type="text"),
            html.Div(id={"type": "slider", "metric": metric}, className="slider"),
            html.Div(id={"type": "hint", "metric": metric}, className="hint"),
        ],
        className="budget",
    )


def _front(feed: Feed, state: State, figures: list[str], *, single: bool) -> Any:
    own = choice.own_choice(feed)
    x, y = state.x or own.x, state.y or own.y
    numbers = [{"label": name, "value": name} for name in figures]
    knobs = sorted(feed.columns(feed.run.goals.judge).knobs, key=knob_order)
    words = [{"label": name, "value": name} for name in knobs]
    none = {"label": "what it is", "value": ""}
    scales = [{"label": "auto", "value": ""}, {"label": "log", "value": "log"}, {"label": "linear", "value": "linear"}]
    others = dcc.Checklist([{"label": "other judges", "value": "yes"}], [state.others or "yes"], id="others", className="check")
    controls = [
        _chooser("y", "y", numbers, y),
        _chooser("", "yscale", scales, state.yscale),
        _chooser("x", "x", numbers, x),
        _chooser("", "xscale", scales, state.xscale),
        _chooser("z", "z", [{"label": "none", "value": ""}, *numbers], state.z),
        _chooser("colour", "color", [none, *words, *numbers], state.color),
        _chooser("symbol", "symbol", [none, *words], state.symbol),
        html.Div(others, id="others-box", hidden=single),
    ]
    plot = html.Div(id="front", className="figure", style={"height": "540px"})
    tip = html.Div(id="tip", hidden=True)
    find = dcc.Input(
        id="filter",
        value=state.filter,
        type="search",
        debounce=0.3,
        placeholder="filter, such as  lut<5000 accuracy>=0.95 strategy=latency front",
    )
    head = html.Div([html.H2("Designs"), find, html.Div(id="chips", className="chips")], className="row")
    return _panel(
        html.Div(id="headline"),
        html.Div(id="picks", className="picks"),
        html.Section([html.Div(controls, className="toolbar"), html.Div([plot, tip], className="stage")], className="card"),
        html.Section([head, html.Div(id="table")], className="card"),
        name="front",
        tab=state.tab,
    )


def _chooser(label: str, name: str, options: list[dict[str, str]], value: str) -> Any:
    known = [option["value"] for option in options]
    chosen = value if value in known else known[0]
    box = dcc.Dropdown(options, chosen, id=name, clearable=False, searchable=len(options) > 8, maxHeight=360)
    return html.Div([html.Label(label) if label else None, box], className=f"chooser {name}")


def _design(state: State) -> Any:
    trial = dcc.Input(id="trial", value=state.trial, type="number", min=0, step=1, debounce=0.4, placeholder="trial")
    other = dcc.Input(id="other", value=state.other, type="number", min=0, step=1, debounce=0.4, placeholder="none")
    swap = html.Button("swap", id="swap", type="button")
    single = html.Button("one alone", id="single", type="button")
    head = [html.Label("design"), trial, html.Label("compared with"), other, swap, single]
    return _panel(html.Div(head, className="toolbar"), html.Div(id="design"), name="design", tab=state.tab)

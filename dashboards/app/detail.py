"""One design, or two side by side: what was asked and built, every figure and who says so, where the cost and the bits are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from dash import dcc, html

from dashboards import figures
from dashboards.app.cards import states
from dashboards.app.desk import Seen
from dashboards.app.downloads import links
from dashboards.app.pieces import badge, breakable, card, empty, graph, sheet, value
from dashboards.columns import LOG
from dashboards.outcomes import outcomes
from dashboards.state import State
from dse.design import Scalar
from dse.evidence import log_of, repeat
from dse.export import elsewhere, stated
from dse.listing import figure_text
from dse.metrics import Measurement, Metric
from dse.record import Failure, Record

#: Characters of a failure's message that are shown.
MESSAGE = 4000


def detail(seen: Seen, state: State, look: dict[str, Any]) -> Any:
    """The page of the selected design, or of two; where none is, what to do."""
    trial = state.trial
    if trial is None:
        row = seen.sight.best()
        if row is None:
            return empty("No design is selected. Click a point or a row on the Front tab, or type a trial's number above.")
        trial = int(seen.sight.columns.trials[row])
    records = []
    for number in dict.fromkeys([trial, trial if state.other is None else state.other]):
        found = seen.record(number)
        if found is None:
            known = f"there are {len(seen.sight.columns):,}, up to {seen.sight.columns.trials.max(initial=0)}"
            return empty(f"Trial {number} has no record; {known}.")
        records.append(found)
    if len(records) == 1:
        return html.Div(_single(seen, records[0], look), className="cards")
    return html.Div(_pair(seen, records[0], records[1], look), className="cards")


def _single(seen: Seen, record: Record, look: dict[str, Any]) -> list[Any]:
    found = [card(_head(seen, record), wide=True), *_troubles(seen, record)]
    found.append(card(html.H2("Figures, and who says so"), *_figures(seen, record), wide=True))
    layers = any(m.layers for m in record.measurements if m.judge == seen.judge)
    found.append(card(html.H2("Knobs as asked"), _knobs(record), wide=not layers))
    if layers:
        found.append(card(graph(figures.layer_bars(seen.sight, [seen.standing(record)]), look, narrow=True)))
    found.append(card(html.H2("What was built"), _built(record), wide=True))
    if record.effective:
        found.append(card(graph(figures.bits(seen.sight, record.trial, record.effective), look), wide=True))
    return found + _outcomes(seen, record, look)


def _head(seen: Seen, record: Record) -> Any:
    row = seen.sight.columns.row(record.trial)
    marks = [] if row is None else states(seen.sight, row)
    command = repeat(seen.feed.shown(), record)
    again = [html.Span("to repeat it: ", className="quiet"), html.Code(command, id="repeat")]
    when = f"design {record.design.digest}{f', finished {record.finished}' if record.finished else ''}"
    return html.Div(
        [
            html.Div([html.H2(f"Trial {record.trial}"), *marks], className="row"),
            html.P(when, className="quiet"),
            html.Div(links(seen, record), className="buttons"),
            html.P([*again, dcc.Clipboard(target_id="repeat", className="copy", title="copy")], className="repeat"),
        ]
    )


def _troubles(seen: Seen, record: Record) -> list[Any]:
    """Why a design has no figures, of any judge."""
    found = []
    if record.pruned:
        found.append(card(html.H2("Stopped early"), html.P(f"There was no hope of {record.pruned}."), wide=True, name="warn"))
    told = [] if record.failure is None else [("Failed", record.failure)]
    told += [(f"No figures of {refusal.judge.name}", refusal.failure) for refusal in record.refusals]
    for title, failure in told:
        head = html.H2(f"{title}: {failure.kind} in {failure.stage}")
        found.append(card(head, *_failure(seen, failure), wide=True, name="warn"))
    return found


def _failure(seen: Seen, failure: Failure) -> list[Any]:
    text = failure.message
    cut = f"{text[:MESSAGE]} … ({len(text):,} characters; `dse show` has all)" if len(text) > MESSAGE else text
    path, log = log_of(seen.feed.shown(), failure)
    found: list[Any] = [html.P(cut, className="message")]
    if log.strip():
        name = "log" if path is None else f"log: {path}"
        found.append(html.Details([html.Summary(name), html.Pre(log[-LOG:])], open=True))
    return found


def _figures(seen: Seen, record: Record) -> list[Any]:
    """A table per judge; this page's first."""
    found: list[Any] = []
    mine = stated(record, seen.judge)
    if mine:
        found.append(_figure_table(seen, mine))
    for judge, other in elsewhere(record, seen.judge).items():
        found += [html.H3(f"By another judge: {judge.name}"), _figure_table(seen, other)]
    return found or [empty("Nothing was measured.")]


def _figure_table(seen: Seen, found: Mapping[str, Measurement]) -> Any:
    heads = ["figure", "value", "unit", "of the part", "bounds", "grade", "level", "tool", "stage", "evidence"]
    rows = []
    for name, one in found.items():
        metric = one.metric(name)
        total = seen.sight.goals.resources.get(name, 0)
        bounds = one.intervals.get(name)
        number = one.values[name]
        rows.append(
            [
                html.Span(breakable(name), title=metric.meaning),
                figure_text(metric, number),
                "" if metric.unit in ("fraction", "0 or 1") else metric.unit,
                f"{100 * number / total:.3g} %" if total else "",
                "" if bounds is None else " to ".join(figure_text(metric, bound) for bound in bounds),
                one.grades.get(name, ""),
                one.source.level,
                f"{one.source.tool} {one.source.version}",
                one.source.stage,
                html.Span(one.source.key[:8], title=one.source.key),
            ]
        )
    return sheet(heads, rows, numbers=(1, 3), name="figures")


def _knobs(record: Record) -> Any:
    return sheet(["knob", "asked"], [[name, str(asked)] for name, asked in record.design.knobs.items()])


def per_layer(effective: Mapping[str, Scalar]) -> tuple[dict[str, str], list[str], dict[str, dict[str, str]]]:
    """What holds for all, the names of what layers have, and each layer's own."""
    whole = {name: str(built) for name, built in effective.items() if "." not in name}
    layers: dict[str, dict[str, str]] = {}
    for name, built in effective.items():
        knob, dot, layer = name.partition(".")
        if dot:
            layers.setdefault(layer, {})[knob] = str(built)
    return whole, list(dict.fromkeys(knob for row in layers.values() for knob in row)), layers


def _built(record: Record) -> Any:
    if not record.effective:
        return empty("Nothing was built.")
    whole, knobs, layers = per_layer(record.effective)
    told = html.P(", ".join(f"{name} {value}" for name, value in whole.items()), className="quiet")
    rows = [[layer, *(row.get(knob, "") for knob in knobs)] for layer, row in layers.items()]
    return html.Div([told, sheet(["layer", *knobs], rows)])


def _outcomes(seen: Seen, record: Record, look: dict[str, Any]) -> list[Any]:
    if record.value("accuracy") is None:
        return []
    stored, reason = outcomes(seen.feed.shown(), record)
    if stored is None:
        return [card(html.H2("Confusion and ROC"), empty(f"Not to be had: {reason}."), wide=True)]
    return [
        card(graph(figures.confusion(seen.sight, record.trial, stored), look, narrow=True)),
        card(graph(figures.roc_curves(seen.sight, record.trial, stored), look, narrow=True)),
    ]


def _pair(seen: Seen, one: Record, other: Record, look: dict[str, Any]) -> list[Any]:
    pair = (one, other)
    standings = [seen.standing(record) for record in pair]
    found = [
        *(card(_brief(seen, record)) for record in pair),
        card(html.H2("Figures"), _figure_pair(seen, one, other)),
        card(html.H2("Knobs as asked"), _value_pair(one.design.knobs, other.design.knobs, "knob", pair)),
        card(html.H2("What was built"), _value_pair(one.effective, other.effective, "effective", pair), wide=True),
    ]
    if any(m.layers for record in pair for m in record.measurements if m.judge == seen.judge):
        found.append(card(graph(figures.layer_bars(seen.sight, standings), look), wide=True))
    found += [card(graph(figures.bits(seen.sight, r.trial, r.effective), look, narrow=True)) for r in pair if r.effective]
    for record in pair:
        stored, _ = outcomes(seen.feed.shown(), record)
        if stored is not None:
            found.append(card(graph(figures.confusion(seen.sight, record.trial, stored), look, narrow=True)))
    return found


def _brief(seen: Seen, record: Record) -> Any:
    row = seen.sight.columns.row(record.trial)
    marks = [] if row is None else states(seen.sight, row)
    why = record.failure
    failed = [] if why is None else [html.P(f"{why.kind}: {why.message[:300]}", className="wrong")]
    return html.Div([html.Div([html.H2(f"Trial {record.trial}"), *marks], className="row"), *failed])


def _figure_pair(seen: Seen, one: Record, other: Record) -> Any:
    """Both designs' figures by this judge; where they differ, by how much, and which is better."""
    rows: list[list[Any]] = []
    marked: list[int] = []
    for name, metric in seen.sight.goals.metrics.items():
        values = [record.value(name, seen.judge) for record in (one, other)]
        if values == [None, None]:
            continue
        texts = ["" if v is None else html.Span(value(metric, v, seen.sight.goals.resources)) for v in values]
        change: Any = ""
        if None not in values and values[0] != values[1]:
            change = _change(metric, *(number for number in values if number is not None))
        if values[0] != values[1]:
            marked.append(len(rows))
        rows.append([name, *texts, change])
    heads = ["figure", f"trial {one.trial}", f"trial {other.trial}", "difference"]
    return sheet(heads, rows, numbers=(1, 2, 3), marked=marked)


def _change(metric: Metric, before: float, now: float) -> Any:
    text = f"{100 * (now - before) / abs(before):+.3g} %" if before and metric.unit != "fraction" else f"{now - before:+.4g}"
    better = metric.better and (now > before) == (metric.better == "max")
    return badge(text, "good" if better else "bad" if metric.better else "")


def _value_pair(one: Mapping[str, Scalar], other: Mapping[str, Scalar], what: str, pair: tuple[Record, Record]) -> Any:
    """All values of both, those that differ first and marked."""
    names = list(dict.fromkeys([*one, *other]))
    differ = [name for name in names if one.get(name) != other.get(name)]
    order = [*differ, *(name for name in names if name not in differ)]
    rows = [[name, str(one.get(name, "-")), str(other.get(name, "-"))] for name in order]
    if not rows:
        return empty("Nothing is known.")
    heads = [what, *(f"trial {record.trial}" for record in pair)]
    return sheet(heads, rows, marked=np.arange(len(differ)).tolist())

"""Values against their types: how large those of each layer are, and what the types can hold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from dashboards.palette import LIGHT, SERIES, template
from dashboards.points import plain

HUES = {"result": SERIES[0], "weight": SERIES[1], "bias": SERIES[2]}


def range_boxes(title: str, ranges: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Magnitudes of values on a scale of powers of two: box and whiskers over grey bands that are the types.

    `ranges` are rows of `dse.nn.ranges.Range`. A band goes from the type's step to its largest value: what is above overflows,
    what is below becomes zero. Whiskers go from 5 % to 95 % of the values that are not 0, boxes from 25 % to 75 %.
    """
    rows = [row for row in ranges if row["magnitudes"]]
    figure = go.Figure([trace for place, row in enumerate(rows) for trace in _box(place, row)])
    labels = [f"{plain(row['layer'])} {row['part']}" for row in rows]
    figure.update_xaxes(tickvals=list(range(len(rows))), ticktext=labels, tickangle=-40, range=[-0.6, len(rows) - 0.4])
    figure.update_yaxes(title_text="log2 |value|")
    words = {"text": plain(title), "subtitle": {"text": "grey: what the type holds, from its step to its largest value"}}
    return figure.update_layout(template=template(), title=words, height=560)


def _box(place: int, row: Mapping[str, Any]) -> Iterator[go.Scatter]:
    """The type's band, whiskers, box and median at this place; the first place's stand in the legend."""
    first, lower, median, upper, last = (math.log2(value) for value in row["magnitudes"])
    bottom, top = math.log2(row["step"]), math.log2(max(row["type_high"], -row["type_low"], row["step"]))
    color, known = HUES[row["part"]], {"showlegend": place == 0}
    for name, ends, width, tint in (
        ("type", [bottom, top], 22, LIGHT["grid"]),
        ("5 % to 95 %", [first, last], 2, color),
        ("25 % to 75 %", [lower, upper], 10, color),
    ):
        line = {"color": tint, "width": width}
        yield go.Scatter(x=[place, place], y=ends, mode="lines", line=line, name=name, hoverinfo="skip", **known)
    edge = {"color": color, "width": 1.5}
    marker = {"color": LIGHT["surface"], "size": 7, "symbol": "circle", "opacity": 1.0, "line": edge}
    say = (
        f"<b>{plain(row['layer'])}</b> {row['part']}<br>{plain(row['type'])}, values {row['low']:.4g} to {row['high']:.4g}"
        f"<br>overflow {row['overflow']:.2%}, underflow {row['underflow']:.2%}"
    )
    yield go.Scatter(
        x=[place], y=[median], mode="markers", marker=marker, name="median", hovertext=[say], hoverinfo="text", **known
    )


def loss_lines(title: str, losses: Sequence[Mapping[str, Any]]) -> go.Figure:
    """What fixed point loses on the way: each layer's error, and the shares of its values that overflow and underflow.

    `losses` are rows of `dse.nn.ranges.Loss`, in order of evaluation. All are shares, in percent; what is 0 has no point.
    """
    figure = go.Figure()
    names = ("relative", "overflow", "underflow")
    words = ("relative rms error", "values beyond the type", "values that become 0")
    for name, label, color in zip(names, words, SERIES, strict=False):
        points = [(place, 100 * row[name]) for place, row in enumerate(losses) if row[name]]
        figure.add_trace(
            go.Scatter(
                x=[place for place, _ in points],
                y=[share for _, share in points],
                mode="markers",
                marker={"color": color, "size": 10, "symbol": "circle", "opacity": 1.0, "line": {"color": color, "width": 1}},
                name=label,
                showlegend=True,
                hovertext=[f"<b>{plain(losses[place]['layer'])}</b><br>{label}: {share:.4g} %" for place, share in points],
                hoverinfo="text",
            )
        )
    labels = [plain(row["layer"]) for row in losses]
    figure.update_xaxes(tickvals=list(range(len(labels))), ticktext=labels, tickangle=-40, range=[-0.6, len(labels) - 0.4])
    figure.update_yaxes(title_text="share [%]", type="log")
    told = {"text": plain(title), "subtitle": {"text": "against the same network in real numbers, layer by layer"}}
    return figure.update_layout(template=template(), title=told, height=480)

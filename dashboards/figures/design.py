"""One design: the bits of its layers, and which classes it confuses."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from dashboards.figures.frame import frame, note
from dashboards.outcomes import CORNERS, MOST_CLASSES, MOST_CURVES, Outcomes
from dashboards.palette import LIGHT, SERIES
from dashboards.points import plain
from dashboards.sight import Sight
from dse.design import Scalar
from dse.network import FixedType
from dse.view import View

#: Rows that a picture of bits has at most.
MOST = 60


def types_of(effective: Mapping[str, Scalar]) -> dict[str, dict[str, FixedType]]:
    """Per layer the fixed-point types that a record states: `weight_type.fc1` is fc1's weight type."""
    found: dict[str, dict[str, FixedType]] = {}
    for name, value in effective.items():
        what, _, layer = name.partition(".")
        if not layer or not what.endswith("_type"):
            continue
        try:
            found.setdefault(layer, {})[what.removesuffix("_type")] = FixedType.parse(str(value))
        except ValueError:
            continue
    return found


def bits(seen: View | Sight, trial: int, effective: Mapping[str, Scalar]) -> go.Figure:
    """Every layer's types as the bits they have: right of the binary point what is resolved, left of it what fits.

    Bars reach from the step to the largest value, in powers of two.
    """
    figure = frame(f"Bits per layer, trial {trial}", seen)
    rows = [(layer, what, kind) for layer, kinds in types_of(effective).items() for what, kind in kinds.items()][:MOST]
    above = {"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"}
    figure.update_layout(height=170 + 20 * max(len(rows), 3), legend=above, barmode="overlay", bargap=0.25)
    if not rows:
        return note(figure, "the record states no types")
    kinds = list(dict.fromkeys(what for _, what, _ in rows))
    for place, what in enumerate(kinds):
        mine = [(layer, kind) for layer, name, kind in rows if name == what]
        figure.add_trace(
            go.Bar(
                y=[f"{plain(layer)} {what}" for layer, _ in mine],
                x=[kind.width for _, kind in mine],
                base=[-kind.integer for _, kind in mine],
                orientation="h",
                name=what,
                marker={"color": SERIES[place % len(SERIES)]},
                text=[str(kind.width) for _, kind in mine],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                textfont={"size": 11},
                constraintext="none",
                hovertext=[
                    f"<b>{plain(layer)}</b> {what}: {plain(kind)}<br>{kind.width} bits, {kind.low:g} to {kind.high:g} in steps "
                    f"of {kind.step:g}"
                    for layer, kind in mine
                ],
                hoverinfo="text",
            )
        )
    return _bit_axes(figure, rows)


def _bit_axes(figure: go.Figure, rows: list[tuple[str, str, FixedType]]) -> go.Figure:
    """Powers of two across, the binary point as a line, layers from top to bottom."""
    figure.add_vline(0, line={"color": LIGHT["ink"], "width": 1, "dash": "dot"}, layer="below")  # not across the numbers
    low = min(-kind.integer for _, _, kind in rows)
    high = max(kind.fraction for _, _, kind in rows)
    marks = [mark for mark in range(low - 1, high + 2) if mark % 4 == 0]
    texts = [f"2<sup>{-mark}</sup>" for mark in marks]
    figure.update_xaxes(title_text="value of a bit", tickvals=marks, ticktext=texts, range=[low - 1, high + 1])
    order = [f"{plain(layer)} {what}" for layer, what, _ in rows]
    return figure.update_yaxes(categoryorder="array", categoryarray=order[::-1], showgrid=False)


def confusion(seen: View | Sight, trial: int, found: Outcomes) -> go.Figure:
    """How many rows of each label were taken for which class, each label's row coloured by its shares."""
    figure = frame(f"Confusion on {len(found.labels):,} {found.rows} rows, trial {trial}", seen).update_layout(height=430)
    if found.classes > MOST_CLASSES:
        return note(figure, f"{found.classes} classes are too many to show")
    counts = found.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    classes = [str(place) for place in range(found.classes)]
    figure.add_trace(
        go.Heatmap(
            z=shares,
            x=classes,
            y=classes,
            text=[[str(count) if count else "" for count in row] for row in counts],
            texttemplate="%{text}" if found.classes <= 20 else None,
            textfont={"color": LIGHT["ink"]},
            colorscale=[[0, LIGHT["surface"]], [0.02, LIGHT["grid"]], [1, LIGHT["cell"]]],
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="label %{y} taken for %{x}: %{text} rows, %{z:.1%}<extra></extra>",
        )
    )
    figure.update_xaxes(title_text="taken for", type="category", showgrid=False)
    return figure.update_yaxes(title_text="label", type="category", autorange="reversed", showgrid=False)


def roc_curves(seen: View | Sight, trial: int, found: Outcomes) -> go.Figure:
    """Each class against all others, by how far its output stands out; one curve where there are two classes."""
    figure = frame(f"ROC on {len(found.labels):,} {found.rows} rows, trial {trial}", seen)
    figure.update_layout(height=430)
    labels = [1] if found.classes == 2 else range(min(found.classes, MOST_CURVES))
    for place, label in enumerate(labels):
        curve = found.roc(label)
        if curve is None:
            continue
        false, true, area = curve
        kept = np.unique(np.linspace(0, len(false) - 1, min(len(false), CORNERS)).astype(np.int64))
        look = {"color": SERIES[place % len(SERIES)], "width": 1.8, "dash": ("solid", "dash")[place // len(SERIES) % 2]}
        figure.add_trace(
            go.Scatter(
                x=false[kept], y=true[kept], mode="lines", name=f"class {label}: area {area:.4f}", line=look, hoverinfo="name"
            )
        )
    if not figure.data:
        return note(figure, "no class has rows on both sides")
    line = {"color": LIGHT["axis"], "width": 1, "dash": "dot"}
    figure.add_trace(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, showlegend=False, hoverinfo="skip"))
    inside = {"x": 0.98, "xanchor": "right", "y": 0.03, "yanchor": "bottom", "bgcolor": LIGHT["surface"]}
    figure.update_layout(legend=inside if len(figure.data) <= 7 else {})
    figure.update_xaxes(title_text="others taken for this class", range=[-0.01, 1.01])
    return figure.update_yaxes(title_text="found of this class", range=[-0.01, 1.01])

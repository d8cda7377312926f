"""One design, or a few side by side: which layer takes what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from dashboards.figures.frame import frame, note
from dashboards.palette import LIGHT, SERIES
from dashboards.points import plain
from dashboards.sight import Sight
from dse.listing import figure_text
from dse.view import Standing, View

SHOWN = ("dsp", "lut", "ff", "bram_18k", "latency_cycles")


def layer_bars(seen: View | Sight, standings: Sequence[Standing], metrics: Sequence[str] = SHOWN) -> go.Figure:
    """A bar per figure and design, cut into layers: each layer's share of the layers' sum.

    The sum may differ from the design's own figure (layers overlap in time, and something joins them): both are stated.
    Figures that the judge does not state per layer, or that are 0 in all layers, have no bar.
    """
    trials = ", ".join(str(standing.record.trial) for standing in standings)
    figure = frame(f"Figures per layer, trial {trials}", seen)
    bars = [found for name in metrics for standing in standings if (found := _bar(seen, standing, name)) is not None]
    figure.update_layout(height=190 + 40 * max(len(bars), 2), barmode="stack", bargap=0.35)
    if not bars:
        return note(figure, "this judge states no figures per layer")
    layers = list(dict.fromkeys(layer for _, _, row in bars for layer in row))
    layers = [layer for layer in layers if any(row.get(layer, 0.0) > 0 for _, _, row in bars)]
    labels = [label if len(standings) == 1 else f"{label}, trial {trial}" for label, trial, _ in bars]
    for n, layer in enumerate(layers):
        cells = [float(row.get(layer, 0.0)) for _, _, row in bars]
        sums = [sum(row.values()) for _, _, row in bars]
        figure.add_trace(
            go.Bar(
                y=labels,
                x=[100 * cell / total for cell, total in zip(cells, sums, strict=True)],
                orientation="h",
                name=plain(layer),
                marker=_look(n),
                text=[(f"{cell:,.0f}" if cell.is_integer() else f"{cell:,.4g}") if cell > 0 else "" for cell in cells],
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                hovertext=[f"<b>{plain(layer)}</b><br>{label}: {cell:,.6g}" for label, cell in zip(labels, cells, strict=True)],
                hoverinfo="text",
            )
        )
    figure.update_xaxes(title_text="share of the layers' sum [%]", range=[0, 100], ticksuffix="")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_layout(uniformtext={"minsize": 11, "mode": "hide"})
    below = {"orientation": "h", "x": 0, "y": 0, "yanchor": "bottom", "yref": "container", "traceorder": "normal"}
    return figure.update_layout(legend=below)


def _look(layer: int) -> dict[str, Any]:
    """Hues repeat after eight layers; a hatch tells the second round from the first."""
    return {
        "color": SERIES[layer % len(SERIES)],
        "line": {"width": 0.5, "color": LIGHT["surface"]},
        "pattern": {"shape": ("", "/", ".", "x")[layer // len(SERIES) % 4]},
    }


def _bar(seen: View | Sight, standing: Standing, metric: str) -> tuple[str, int, dict[str, float]] | None:
    measurement = standing.record.measurement(metric, seen.judge)
    if measurement is None:
        return None
    row = {layer: values[metric] for layer, values in measurement.layers.items() if metric in values}
    if sum(row.values()) <= 0:
        return None
    total = figure_text(measurement.metric(metric), measurement.values[metric])
    return f"{metric} (design: {total})", standing.record.trial, row

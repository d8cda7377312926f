"""Small pieces of a page. Texts are children of elements, never markup: what a record says is shown as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from dash import dcc, html

from dashboards.figures.parallel import parallel_lines
from dashboards.palette import darkened
from dashboards.sight import Sight
from dse.listing import figure_text
from dse.metrics import Metric

#: What the buttons above a figure do; nothing that would send it anywhere.
GRAPH: Any = {
    "displaylogo": False,
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "modeBarButtonsToRemove": ["autoScale2d", "select2d", "lasso2d"],
    "toImageButtonOptions": {"format": "svg"},
}


def light(kind: str, children: Any, **props: Any) -> dict[str, Any]:
    """An element as the browser is told of it: where there are hundreds, making components of them takes most of the time."""
    return {"type": kind, "props": {"children": children, **props}}


def painted(plain: dict[str, Any], look: Mapping[str, Any]) -> dict[str, Any]:
    """A plain figure for a page of this look: dark or light, and in shapes where the browser has no WebGL."""
    if not look.get("webgl", True):
        for trace in plain["data"]:
            if trace["type"] == "scattergl":
                trace["type"] = "scatter"
    return dict(darkened(plain)) if look.get("theme") == "dark" else plain


def needs_webgl(figure: go.Figure, sight: Sight, look: dict[str, Any]) -> go.Figure:
    """Parallel coordinates, or their plain form where the browser has no WebGL."""
    return figure if look.get("webgl", True) else parallel_lines(sight)


def shown(figure: go.Figure, look: Mapping[str, Any], *, narrow: bool = False) -> dict[str, Any]:
    """A figure as a page of this look draws it. In a narrow card its subtitle takes two lines.

    Where one with the same title and judge takes its place, what was zoomed into stays in view.
    """
    title = figure.layout.title
    found = painted(figure.update_layout(uirevision=f"{title.text} {title.subtitle.text}").to_plotly_json(), look)
    if narrow:
        subtitle = found["layout"]["title"]["subtitle"]
        found["layout"]["title"]["subtitle"] = subtitle | {"text": subtitle["text"].replace(" · ", "<br>", 1)}
    return found


def graph(figure: go.Figure, look: dict[str, Any], *, narrow: bool = False) -> Any:
    """A figure to look at; it is as high as it wants to be."""
    style = {"height": f"{figure.layout.height or 420}px"}
    return dcc.Graph(figure=shown(figure, look, narrow=narrow), config=GRAPH, style=style, className="figure")


def card(*children: Any, wide: bool = False, name: str = "") -> Any:
    """A framed part of the page."""
    return html.Section([child for child in children if child is not None], className=f"card{' wide' if wide else ''} {name}")


def badge(text: str, kind: str = "") -> Any:
    """A short word in a frame."""
    return html.Span(text, className=f"badge {kind}")


def sheet(
    heads: Sequence[str],
    rows: Iterable[Sequence[Any]],
    numbers: Sequence[int] = (),
    marked: Sequence[int] = (),
    name: str = "",
) -> Any:
    """A small table; columns in `numbers` are aligned right, rows in `marked` stand out."""
    head = html.Tr([html.Th(text, className="number" if n in numbers else "", scope="col") for n, text in enumerate(heads)])
    body = [
        html.Tr(
            [html.Td(cell, className="number" if n in numbers else "") for n, cell in enumerate(row)],
            className="marked" if place in marked else "",
        )
        for place, row in enumerate(rows)
    ]
    return html.Div(html.Table([html.Thead(head), html.Tbody(body)], className=name), className="scroll")


def breakable(name: str) -> str:
    """A long name that may continue on the next line after an underscore or a dot."""
    return name.replace("_", "_\u200b").replace(".", ".\u200b")


def value(metric: Metric, number: float, resources: Mapping[str, int]) -> list[Any]:
    """A figure, and its share of the part where it is one of the part's resources."""
    total = resources.get(metric.name, 0)
    text = figure_text(metric, number)
    return [text, html.Small(f" {share(number / total)}", title="of the part")] if total else [text]


def share(part: float) -> str:
    """A part of a whole: 12 %, 0.4 %, 0 %."""
    percent = 100 * part
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.1f} %" if percent >= 0.1 else "< 0.1 %"


def empty(text: str) -> Any:
    """What to do where there is nothing to see."""
    return html.P(text, className="empty")

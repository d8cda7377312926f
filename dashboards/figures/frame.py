"""What every figure begins with: its title, and whose figures it shows."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from dashboards.palette import looks, template
from dashboards.points import plain
from dashboards.sight import Sight
from dse.view import View

#: A legend under the figure, where it meets neither the title nor the points.
BELOW = {"orientation": "h", "x": 0, "y": -0.16, "yanchor": "top", "yref": "paper", "traceorder": "reversed"}


def titled(title: str, seen: View | Sight, **more: Any) -> dict[str, Any]:
    """A layout with the looks of all figures, what it shows, the judge and the study; `more` of it."""
    subtitle = f"judge {plain(seen.judge.name)} · {plain(seen.name)}"
    return {"template": looks(), "title": {"text": plain(title), "subtitle": {"text": subtitle}}, **more}


def frame(title: str, seen: View | Sight, figure: go.Figure | None = None, **more: Any) -> go.Figure:
    """A figure titled with what it shows, the judge and the study; `more` of its layout."""
    layout = titled(title, seen, **more) | {"template": template()}
    return go.Figure(layout=layout) if figure is None else figure.update_layout(layout)


def note(figure: go.Figure, text: str) -> go.Figure:
    """Say in an empty figure, made small, why it is empty."""
    figure.add_annotation(text=plain(text), x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"size": 14})
    return figure.update_layout(height=190).update_xaxes(visible=False).update_yaxes(visible=False)

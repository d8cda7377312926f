"""Figures as PNG or SVG files for papers: those of page and app, drawn by matplotlib, which needs no browser."""

from __future__ import annotations

import io
from collections.abc import Iterable
from html import unescape
from typing import Any, Literal

import plotly.graph_objects as go

from dashboards import blocks
from dse.errors import DseError

#: Inches that a page of A4 or letter leaves for one figure, and dots per inch of a PNG.
WIDTH, DPI = 6.3, 200
#: Inches for words around the panels; the legend of a single panel stands below it.
LEFT, RIGHT, TOP, BOTTOM, LEGEND, MARGIN = blocks.LEAST, 0.2, 0.62, 0.48, 0.42, 0.05
MARKERS = {"circle": "o", "square": "s", "x-thin": "x", "diamond": "D"}


def draw(figure: go.Figure, form: Literal["png", "svg"]) -> bytes:
    """A figure of points, lines, lying bars or a heat map as an image.

    The same figure gives the same bytes. DseError where matplotlib is not installed, TypeError for other kinds of traces.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise DseError('PNG and SVG files need matplotlib, which is not installed: pip install "dse[image]".') from None
    layout, content = figure.layout, io.BytesIO()
    for trace in figure.data:
        if not isinstance(trace, (go.Scatter, go.Scattergl, go.Bar, go.Heatmap)):
            raise TypeError(f"only points, lines, bars and heat maps can be drawn for paper, got {type(trace).__name__}.")
    size = (WIDTH, WIDTH * min(max(layout.height / 680, 0.4 if _blocks(figure) else 0.6), 1.05))
    style: Any = {"font.size": 8, "axes.linewidth": 0.7, "svg.hashsalt": "dse", "text.parse_math": False}
    with mpl.rc_context(style):
        sheet = Figure(figsize=size)
        panels = {}
        for trace in figure.data:
            where = (getattr(trace, "xaxis", None) or "x", getattr(trace, "yaxis", None) or "y")
            if where not in panels:
                panels[where] = _panel(sheet, layout, *where, left=blocks.room(figure))
            if isinstance(trace, (go.Scatter, go.Scattergl)):
                _trace(panels[where], trace, order=len(panels[where].get_children()))
            elif isinstance(trace, go.Heatmap):
                blocks.cells(panels[where], trace)
        if lying := _blocks(figure):
            blocks.bars(panels[("x", "y")], lying, layout)
        _words(sheet, layout, panels)
        _fit(sheet, panels.values())
        sheet.savefig(content, format=form, dpi=DPI, metadata={"Date": None} if form == "svg" else {"Software": None})
    return content.getvalue()


def _blocks(figure: go.Figure) -> list[go.Bar]:
    return [trace for trace in figure.data if isinstance(trace, go.Bar)]


def _axis(layout: go.Layout, name: str) -> Any:
    """The layout of axis "x2": its property is called xaxis2."""
    return layout[f"{name[0]}axis{name[1:]}"]


def _panel(sheet: Any, layout: go.Layout, x: str, y: str, left: float) -> Any:
    """Axes at the place that plotly's domains (0 to 1) give them, inside the margins for words."""
    from matplotlib import ticker

    wide, tall = sheet.get_size_inches()
    across, up = _axis(layout, x), _axis(layout, y)
    bottom = BOTTOM if "xaxis2" in layout else BOTTOM + LEGEND
    x_low, x_high = (left + (wide - left - RIGHT) * end for end in across.domain or (0, 1))
    y_low, y_high = (bottom + (tall - bottom - TOP) * end for end in up.domain or (0, 1))
    panel = sheet.add_axes((x_low / wide, y_low / tall, (x_high - x_low) / wide, (y_high - y_low) / tall))
    for axis, words in ((panel.xaxis, across), (panel.yaxis, up)):
        axis.set_label_text(unescape(words.title.text or ""))
        if words.type == "log":
            (panel.set_xscale if axis is panel.xaxis else panel.set_yscale)("log")
            axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
            axis.set_minor_formatter(ticker.NullFormatter())
        axis.set_major_formatter(lambda value, _: f"{value / 1000:g}k" if abs(value) >= 10000 else f"{value:g}")
        if words.tickvals is not None and words.ticktext is None:
            axis.set_ticks(words.tickvals)
        elif words.tickvals is not None:
            axis.set_ticks(
                words.tickvals, [unescape(text) for text in words.ticktext], rotation=-(words.tickangle or 0), fontsize=6
            )
        if words.range is not None:
            low, high = (10**end for end in words.range) if words.type == "log" else words.range
            (panel.set_xlim if axis is panel.xaxis else panel.set_ylim)(low, high)
        if words.showticklabels is False or (words.matches and not words.title.text):
            axis.set_tick_params(labelbottom=False, labelleft=False)
    panel.grid(visible=True, color=layout.template.layout.xaxis.gridcolor, linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    return panel


def _trace(panel: Any, trace: go.Scatter, order: int) -> None:
    label = unescape(trace.name or "") if trace.showlegend is not False else None
    if trace.mode == "lines":
        step = {"hv": "steps-post", "vh": "steps-pre"}.get(trace.line.shape, "default")
        look = {
            "drawstyle": step,
            "solid_capstyle": "butt",  # a broad line ends where its value is
            "color": trace.line.color,
            "linewidth": 0.55 * (trace.line.width or 2),
            "alpha": trace.opacity,
            "zorder": order,
        }
        panel.plot(trace.x, trace.y, label=label, **look)
        return
    marker, symbol = trace.marker, MARKERS[trace.marker.symbol]
    errors = {"xerr": _bars(trace.error_x), "yerr": _bars(trace.error_y)}
    if any(bars is not None for bars in errors.values()):
        color = trace.error_x.color or trace.error_y.color
        panel.errorbar(trace.x, trace.y, **errors, fmt="none", ecolor=color, elinewidth=0.6, capsize=1.5, zorder=order)
    look = {"s": (0.6 * marker.size) ** 2, "alpha": marker.opacity, "zorder": order}
    edge = {"linewidths": 0.9} if symbol == "x" else {"linewidths": 0.4, "edgecolors": marker.line.color}
    panel.scatter(trace.x, trace.y, marker=symbol, color=marker.color, label=label, **edge, **look)


def _bars(error: Any) -> tuple[Any, Any] | None:
    return None if error is None or error.array is None else (error.arrayminus, error.array)


def _fit(sheet: Any, panels: Iterable[Any]) -> None:
    """Narrow panels from the left where long numbers push an axis' title off the sheet."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(sheet).get_renderer()
    for panel in panels:
        words, place = panel.yaxis.get_tightbbox(renderer), panel.get_position()
        over = MARGIN / WIDTH - words.x0 / sheet.bbox.width if words is not None else 0
        if over > 0:
            panel.set_position((place.x0 + over, place.y0, place.width - over, place.height))


def _words(sheet: Any, layout: go.Layout, panels: dict[tuple[str, str], Any]) -> None:
    """Title, judge, limits and the legend."""
    quiet = layout.template.layout.title.subtitle.font.color
    wide, tall = sheet.get_size_inches()
    sheet.text(0.1 / wide, 1 - 0.1 / tall, unescape(layout.title.text), fontsize=10, va="top")
    sheet.text(0.1 / wide, 1 - 0.34 / tall, unescape(layout.title.subtitle.text or ""), fontsize=7, va="top", color=quiet)
    if not panels:
        sheet.text(0.5, 0.5, unescape(layout.annotations[0].text), ha="center")
        return
    first = next(iter(panels.values()))
    for shape, words in zip(layout.shapes, layout.annotations if layout.shapes else (), strict=True):
        vertical = shape.x0 == shape.x1
        bound = shape.x0 if vertical else shape.y0
        line = {"color": shape.line.color, "linewidth": 0.8, "linestyle": "--"}
        (first.axvline if vertical else first.axhline)(bound, **line)
        place: Any = {"x": bound, "y": words.y} if vertical else {"x": words.x, "y": bound}
        # one coordinate is in the axis' unit and the other a share of the axis
        place |= {"transform": first.get_xaxis_transform() if vertical else first.get_yaxis_transform(), "ha": "right"}
        look = {"color": words.font.color, "fontsize": 6.5}
        first.text(**place, **look, s=unescape(words.text), rotation=90 if vertical else 0, va="top" if vertical else "bottom")
    handles, labels = first.get_legend_handles_labels()
    if layout.showlegend is False:
        return
    if len(panels) > 1:
        place = {"loc": "upper right", "bbox_to_anchor": (1 - RIGHT / wide, 1 - TOP / tall)}
        sheet.legend(handles[::-1], labels[::-1], **place, frameon=False)
    elif len(labels) > 1:
        place = {"loc": "lower left", "bbox_to_anchor": (LEFT / wide - 0.02, 0.0), "ncols": 3, "columnspacing": 1.2}
        sheet.legend(handles[::-1], labels[::-1], **place, frameon=False, fontsize=7)

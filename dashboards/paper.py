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
DASHES = {None: "-", "dash": "--", "dot": ":"}
#: Words lie above all that is drawn.
LAST = 10_000
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
        if words.tickvals is not None:
            _ticks(axis, words)
        if words.range is not None:
            low, high = (10**end for end in words.range) if words.type == "log" else words.range
            (panel.set_xlim if axis is panel.xaxis else panel.set_ylim)(low, high)
        axis.set_visible(words.visible is not False)
        if words.showticklabels is False or (words.matches and not words.title.text):
            axis.set_tick_params(labelbottom=False, labelleft=False)
        if words.showgrid is not False:
            axis.grid(visible=True, color=layout.template.layout.xaxis.gridcolor, linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines["left"].set_visible(up.visible is not False)
    panel.spines["bottom"].set_visible(across.side != "top")
    return panel


def _ticks(axis: Any, words: Any) -> None:
    """Marks where the figure has them; those above a panel lean away from one another."""
    if words.ticktext is None:
        axis.set_ticks(words.tickvals)
        return
    look: Any = {"rotation": -(words.tickangle or 0), "fontsize": 6}
    if words.side == "top":
        axis.tick_top()
        axis.set_tick_params(length=0)
        look |= {"ha": "left", "rotation_mode": "anchor"}
    axis.set_ticks(words.tickvals, [blocks.words(text) for text in words.ticktext], **look)


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
    """Narrow panels whose words would leave the sheet on the left or right, or meet the title above."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer, (wide, tall) = FigureCanvasAgg(sheet).get_renderer(), sheet.get_size_inches()
    for panel in panels:
        place = panel.get_position()
        ends = [words for axis in (panel.yaxis, panel.xaxis) if (words := axis.get_tightbbox(renderer)) is not None]
        inches = [words.transformed(sheet.dpi_scale_trans.inverted()) for words in ends]
        left = max([0.0, *(MARGIN - words.x0 for words in inches)]) / wide
        right = max([0.0, *(words.x1 - wide + MARGIN for words in inches)]) / wide
        over = [words.y1 - tall + TOP - MARGIN for words in inches] if panel.xaxis.get_ticks_position() == "top" else []
        above = max([0.0, *over]) / tall
        if left or right or above:
            panel.set_position((place.x0 + left, place.y0, place.width - left - right, place.height - above))


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
    _lines(first, layout)
    _notes(first, layout)
    handles, labels = first.get_legend_handles_labels()
    if layout.showlegend is False:
        return
    if len(panels) > 1:
        place: Any = {"loc": "upper right", "bbox_to_anchor": (1 - RIGHT / wide, 1 - TOP / tall)}
        sheet.legend(handles[::-1], labels[::-1], **place, frameon=False)
    elif len(labels) > 1:
        place = {"loc": "lower left", "bbox_to_anchor": (LEFT / wide - 0.02, 0.0), "ncols": 3, "columnspacing": 1.2}
        sheet.legend(handles[::-1], labels[::-1], **place, frameon=False, fontsize=7)


def _lines(panel: Any, layout: go.Layout) -> None:
    """Limits, and what else stands or lies across a whole panel."""
    for shape in layout.shapes:
        look = {"color": shape.line.color, "linewidth": 0.65 * shape.line.width, "linestyle": DASHES[shape.line.dash]}
        (panel.axvline(shape.x0, **look) if shape.x0 == shape.x1 else panel.axhline(shape.y0, **look))


def _notes(panel: Any, layout: go.Layout) -> None:
    """Words at a place of an axis; those beside the panel are for who can click on it."""
    from matplotlib.transforms import blended_transform_factory

    for note in layout.annotations:
        if "paper" in (note.xref, note.yref):
            continue
        place, parts = [], []
        for axis, ref, at in ((layout.xaxis, note.xref, note.x), (layout.yaxis, note.yref, note.y)):
            share = ref is not None and ref.endswith("domain")
            parts.append(panel.transAxes if share else panel.transData)
            place.append(10**at if axis.type == "log" and not share else at)
        panel.annotate(
            blocks.words(note.text),
            place,
            xycoords=blended_transform_factory(*parts),
            xytext=(0.65 * (note.xshift or 0), 0),
            textcoords="offset points",
            ha=note.xanchor or "center",
            va={None: "center", "middle": "center"}.get(note.yanchor, note.yanchor),
            rotation=-(note.textangle or 0),
            color=note.font.color,
            fontsize=0.6 * note.font.size,
            bbox={"facecolor": note.bgcolor, "linewidth": 0, "pad": 0.4, "alpha": 0.8} if note.bgcolor else None,
            zorder=LAST,
        )

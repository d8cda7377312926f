"""Figures of a view: pure functions from records and goals to plotly figures; a page, an app and files draw the same ones.

All text of records is escaped. All colours are those of `dashboards.palette.LIGHT`.
"""

from __future__ import annotations

from dashboards.figures.beside import annotate, overlay
from dashboards.figures.design import bits, confusion, roc_curves
from dashboards.figures.front import draw, front_scatter, scatter_matrix, sketch
from dashboards.figures.knobs import importance_map, slices
from dashboards.figures.layers import layer_bars
from dashboards.figures.marks import Picture
from dashboards.figures.parallel import parallel_coordinates, parallel_lines
from dashboards.figures.ranges import loss_lines, range_boxes
from dashboards.figures.search import failure_bars, hypervolume_curves, progress, stage_bars
from dashboards.figures.space import in_space

__all__ = [
    "Picture",
    "annotate",
    "bits",
    "confusion",
    "draw",
    "failure_bars",
    "front_scatter",
    "hypervolume_curves",
    "importance_map",
    "in_space",
    "layer_bars",
    "loss_lines",
    "overlay",
    "parallel_coordinates",
    "parallel_lines",
    "progress",
    "range_boxes",
    "roc_curves",
    "scatter_matrix",
    "sketch",
    "slices",
    "stage_bars",
]

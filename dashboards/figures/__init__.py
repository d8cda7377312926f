"""Figures of a view: pure functions from records and goals to plotly figures; a page, an app and files draw the same ones.

All text of records is escaped. All colours are those of `dashboards.palette.LIGHT`.
"""

from __future__ import annotations

from dashboards.figures.front import front_scatter, scatter_matrix
from dashboards.figures.layers import layer_bars
from dashboards.figures.parallel import parallel_coordinates, parallel_lines
from dashboards.figures.search import failure_bars, hypervolume_curves, progress, stage_bars

__all__ = [
    "failure_bars",
    "front_scatter",
    "hypervolume_curves",
    "layer_bars",
    "parallel_coordinates",
    "parallel_lines",
    "progress",
    "scatter_matrix",
    "stage_bars",
]

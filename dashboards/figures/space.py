"""Three figures against each other, in space."""

from __future__ import annotations

import plotly.graph_objects as go

from dashboards.figures import marks
from dashboards.figures.frame import BELOW, frame, note
from dashboards.figures.marks import Picture, hovering
from dashboards.palette import LIGHT
from dashboards.points import Axis, axis_title, groups, seen_label
from dashboards.sight import Sight

#: What plotly has no symbol in space for; its "x" is a letter that few fonts have.
FLAT = {"x-thin": "cross", "x": "cross", "hexagon": "circle", "triangle-up": "circle", "star": "diamond"}

#: From so far that the axes' titles are in the picture.
CAMERA = {"eye": {"x": 1.55, "y": 1.55, "z": 1.0}, "center": {"x": 0, "y": 0, "z": -0.18}}


def in_space(sight: Sight, what: Picture) -> go.Figure:
    """Three figures in space."""
    names = (what.x, what.y, what.z)
    drawn = groups(sight, names)
    figure = frame(f"{what.y} against {what.x} and {what.z}", sight).update_layout(height=640, legend=BELOW)
    if not drawn:
        return note(figure, "no design has all three figures yet")
    spans = {name: Axis.over(drawn, name, log=log) for name, log in zip(names, (what.log_x, what.log_y, None), strict=True)}
    for group in drawn:
        look_ = marks.marker(group, what.color, what.symbol)
        shapes = look_["symbol"] if isinstance(look_["symbol"], list) else [look_["symbol"]]
        shapes = [FLAT.get(shape.removesuffix("-open"), shape.removesuffix("-open")) for shape in shapes]
        look_ |= {"symbol": shapes if len(shapes) > 1 else shapes[0], "size": 0.6 * look_["size"], "line": {"width": 0}}
        places = dict(zip("xyz", (group.figures(name) for name in names), strict=True))
        figure.add_trace(
            go.Scatter3d(**places, mode="markers", name=seen_label(group, spans), marker=look_, **hovering(group, what))
        )
    if what.color and not marks.by_hue(sight, what.color):
        figure.update_layout(coloraxis=marks.color_axis(what.color))
    axes = {}
    for axis, name in zip("xyz", names, strict=True):
        looks = {"gridcolor": LIGHT["grid"], "backgroundcolor": LIGHT["surface"], "color": LIGHT["quiet"]}
        span = {key: found for key, found in spans[name].layout(ticks=6).items() if key in ("type", "range")}
        axes[f"{axis}axis"] = {"title": {"text": axis_title(sight, name)}, **span, **looks}
    return figure.update_layout(scene=axes | {"camera": CAMERA})

"""The same figures as image files."""

from __future__ import annotations

import io
import re
import sys
import xml.etree.ElementTree as ET

import numpy as np
import plotly.graph_objects as go
import pytest
from build_run import JUDGE, build_run, goals, plain_record, write_run
from PIL import Image

from dashboards import figures
from dashboards.importance import Importance
from dashboards.palette import LIGHT
from dashboards.paper import draw
from dashboards.sight import look
from dse.errors import DseError
from dse.goals import Limit, Objective
from dse.view import view

HOSTILE = "<script>alert(1)</script> $x^$ & {"


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    return view(build_run(tmp_path_factory.mktemp("runs") / "digits"))


def pixels(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def near(image, color):
    rgb = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
    return (np.abs(image - rgb).max(axis=2) < 12).sum()


def every(seen):
    return {
        "front": figures.front_scatter(seen, "lut", "accuracy"),
        "matrix": figures.scatter_matrix(seen),
        "hypervolume": figures.hypervolume_curves([seen]),
        "progress": figures.progress(seen),
    }


@pytest.mark.parametrize("name", ["front", "matrix", "hypervolume", "progress"])
def test_a_png_has_ink_where_points_and_lines_are(seen, name):
    """Wide enough for print, mostly white, with the front's blue in it."""
    image = pixels(draw(every(seen)[name], "png"))
    assert image.shape[1] == 1260
    assert near(image, LIGHT["front"]) > 300
    assert (image.min(axis=2) > 250).mean() > 0.5


def test_every_front_design_is_a_mark_in_the_svg(seen):
    """As many blue circles as the front has designs, and one in the legend."""
    root = ET.fromstring(draw(figures.front_scatter(seen, "lut", "accuracy"), "svg"))
    uses = [e for e in root.iter("{http://www.w3.org/2000/svg}use") if f"fill: {LIGHT['front']}" in e.get("style", "")]
    assert len(uses) == len(seen.front) + 1


def test_the_same_figure_gives_the_same_bytes(seen):
    """No date and no random names: an image under version control changes only when the data do."""
    figure = figures.front_scatter(seen, "lut", "accuracy")
    assert draw(figure, "svg") == draw(figure, "svg")
    assert draw(figure, "png") == draw(figure, "png")


def text_of(figure):
    """The words of an SVG whose letters are kept as comments by matplotlib."""
    return draw(figure, "svg").decode()


def test_title_judge_and_axes_are_written(seen):
    """A picture that leaves its paper still says whose figures it shows."""
    text = text_of(figures.front_scatter(seen, "dsp", "accuracy"))
    for words in (
        "accuracy against dsp",
        f"judge {JUDGE.name}",
        "dsp [blocks]",
        "accuracy [fraction]",
        "front (17)",
        "knee: trial 11",
    ):
        assert f"<!-- {words}" in text


def test_text_of_records_is_neither_markup_nor_mathematics(tmp_path):
    """A dollar sign starts no formula, a tag no element."""
    text = text_of(figures.front_scatter(view(build_run(tmp_path, name=HOSTILE)), "lut", "accuracy"))
    assert "<script" not in text
    ET.fromstring(text)


@pytest.mark.parametrize("log", [True, False])
def test_axes_are_those_of_the_figure(seen, log):
    """Ranges and decades are taken over: the same point lies at the same place of its panel."""
    figure = figures.front_scatter(seen, "lut", "accuracy", log_x=log)
    low, high = figure.layout.xaxis.range
    root = ET.fromstring(draw(figure, "svg"))
    uses = [e for e in root.iter("{http://www.w3.org/2000/svg}use") if f"fill: {LIGHT['front']}" in e.get("style", "")]
    drawn = np.array([float(e.get("x")) for e in uses[: len(seen.front)]])
    front = next(trace for trace in figure.data if trace.name.startswith("front ("))
    share = ((np.log10(front.x) if log else np.array(front.x)) - low) / (high - low)
    assert np.corrcoef(share, drawn)[0, 1] == pytest.approx(1, abs=1e-6)


def test_long_numbers_leave_the_axis_title_on_the_sheet(tmp_path):
    """Marks of four decimals push the title to the left: the panel is narrowed, and nothing stands at the very edge."""
    records = [plain_record(n, accuracy=0.9625 + n / 700, lut=30000 + 9000 * n) for n in range(16)]
    image = pixels(draw(figures.front_scatter(view(write_run(tmp_path, records)), "lut", "accuracy"), "png"))
    assert (image[:, :6] == 255).all()


def test_limits_are_dashed_lines_with_their_text(tmp_path):
    """Budgets in view are part of the picture."""
    what = goals((Objective("accuracy"), Objective("lut")), (Limit("lut", at_most=1000), Limit("accuracy", at_least=0.9)))
    records = [plain_record(n, accuracy=0.8 + n / 100, lut=980 + n) for n in range(40)]
    text = text_of(figures.front_scatter(view(write_run(tmp_path, records, what=what)), "lut", "accuracy"))
    assert text.count("stroke-dasharray") >= 1
    assert "<!-- lut &lt;= 1000" in text or "<!-- lut <= 1000" in text


def test_an_empty_figure_says_why(tmp_path):
    """A note instead of empty axes."""
    assert "no design has both figures yet" in text_of(figures.front_scatter(view(write_run(tmp_path, [])), "lut", "dsp"))


def test_bars_are_as_long_as_their_figures(seen):
    """One bar per stage from the axis on, in proportion, the first stage at the top."""
    figure = figures.stage_bars(seen)
    root = ET.fromstring(draw(figure, "svg"))
    fill = f"fill: {LIGHT['front']}"
    paths = [e.get("d") for e in root.iter("{http://www.w3.org/2000/svg}path") if fill in e.get("style", "")]
    corners = [np.array([float(n) for n in re.findall(r"-?[0-9.]+", path)]).reshape(-1, 2) for path in paths]
    long = [np.ptp(corner[:, 0]) for corner in corners]
    high = [corner[:, 1].mean() for corner in corners]
    assert len(long) == len(figure.data[0].x)
    assert np.corrcoef(long, figure.data[0].x)[0, 1] == pytest.approx(1, abs=1e-6)
    assert high == sorted(high, reverse=True)  # plotly begins at the bottom, too


def boxes(figure, color):
    """Left and right end of every bar of this colour in the SVG, from the top; the legend's last."""
    root = ET.fromstring(draw(figure, "svg"))
    paths = [e.get("d") for e in root.iter("{http://www.w3.org/2000/svg}path") if f"fill: {color}" in e.get("style", "")]
    corners = [np.array([float(n) for n in re.findall(r"-?[0-9.]+", path)]).reshape(-1, 2) for path in paths]
    return [(float(corner[:, 0].min()), float(corner[:, 0].max())) for corner in corners if np.ptp(corner[:, 1]) > 0]


def test_bits_lie_where_the_types_have_them(seen):
    """A bar from the type's largest bit to its step: left of the binary point its integer bits, in all its width."""
    kinds = {"a": "fixed<8,3>", "b": "fixed<5,-1>", "c": "fixed<12,12>"}
    figure = figures.bits(seen, 3, {f"weight_type.{layer}": kind for layer, kind in kinds.items()})
    a, b, c = boxes(figure, LIGHT["front"])[:3]
    bit = (a[1] - a[0]) / 8
    assert b[1] - b[0] == pytest.approx(5 * bit, rel=1e-4)
    assert c[1] - c[0] == pytest.approx(12 * bit, rel=1e-4)
    assert b[0] - a[0] == pytest.approx(4 * bit, rel=1e-4)  # 2^3 down to 2^-1
    assert c[1] - a[0] == pytest.approx(3 * bit, rel=1e-4)  # the binary point
    text = text_of(figure)
    assert all(f"<!-- {mark} -->" in text for mark in ("2⁸", "2⁴", "2⁰", "2⁻⁴"))


def test_parallel_coordinates_have_an_axis_with_its_name_for_each_dimension(seen):
    """On the sheet; a line stands under every name, and designs reach from the first to the last."""
    figure = figures.parallel_lines(seen)
    text = text_of(figure)
    names = [words.replace("<br>", " ") for words in figure.layout.xaxis.ticktext]
    assert all(f"<!-- {name} -->" in text for name in names)
    root = ET.fromstring(text)
    lines = [e for e in root.iter("{http://www.w3.org/2000/svg}path") if f"stroke: {LIGHT['axis']}" in e.get("style", "")]
    across = sorted(float(re.search(r"M (-?[0-9.]+)", e.get("d"))[1]) for e in lines)
    assert len(across) == len(names)
    assert np.ptp(np.diff(across)) < 1e-3
    front = [e for e in root.iter("{http://www.w3.org/2000/svg}path") if f"stroke: {LIGHT['front']}" in e.get("style", "")]
    designs = max((e.get("d") for e in front), key=len)  # the other one is the legend's
    reached = [float(x) for x in re.findall(r"[ML] (-?[0-9.]+) ", designs)]
    assert (min(reached), max(reached)) == pytest.approx((across[0], across[-1]), abs=1e-3)
    image = pixels(draw(figure, "png"))
    assert (image[:, :6] == 255).all()
    assert (image[:, -6:] == 255).all()


def test_long_names_above_a_panel_stay_below_the_title(tmp_path):
    """The panel gives way, not the title."""
    records = [
        plain_record(n, accuracy=0.9 + n / 900, dsp=n, lut=9 + n, latency_ns=5 + n, knobs={"architecture." + "n" * 60: n})
        for n in range(20)
    ]
    image = pixels(draw(figures.parallel_lines(view(write_run(tmp_path, records))), "png"))
    subtitle = (image.min(axis=2) < 200)[:124]
    gaps = np.flatnonzero(~subtitle.any(axis=1))
    assert len(gaps[gaps > 90]) > 4  # empty rows between the words of the judge and the leaning names


def test_a_heat_map_has_its_shares_in_its_cells(tmp_path):
    """A share of 1 in the darkest blue of cells, which words can be read on."""
    share = Importance(("a", "b"), ("accuracy",), np.array([[1.0], [0.0]]), np.array([1.0]), 60)
    sight = look(view(build_run(tmp_path)))
    figure = figures.importance_map(sight, share)
    text = text_of(figure)
    assert "<!-- 100%" in text
    assert "<!-- 0%" in text
    assert near(pixels(draw(figure, "png")), LIGHT["cell"]) > 10_000


def test_other_kinds_of_traces_are_refused(seen):
    """Silently drawing nothing would be worse."""
    with pytest.raises(TypeError, match="only points, lines, bars and heat maps"):
        draw(go.Figure(go.Pie(values=[1])).update_layout(height=100), "png")


def test_without_matplotlib_the_message_names_the_extra(seen, monkeypatch):
    """What to do, not a traceback."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(DseError, match=r'pip install "dse\[image\]"'):
        draw(figures.hypervolume_curves([seen]), "png")

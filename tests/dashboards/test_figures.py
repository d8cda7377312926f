"""Figures show what the records say, name their judge and let no text of a record be more than text."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from build_run import JUDGE, LIMITS, OBJECTIVES, VITIS, build_run, goals, plain_record, write_run

from dashboards import figures
from dashboards.figures import front
from dashboards.palette import LIGHT
from dashboards.sight import look
from dse import pareto
from dse.goals import Limit, Objective
from dse.metrics import Measurement
from dse.record import Failure
from dse.view import minimised, view

NAMES = [objective.metric for objective in OBJECTIVES]
TWO = goals((Objective("accuracy"), Objective("lut")), ())
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    return view(build_run(tmp_path_factory.mktemp("runs") / "digits"))


def every(view_):
    """All figures that can be drawn of a view."""
    names = [objective.metric for objective in view_.goals.objectives]
    found = [
        figures.parallel_coordinates(view_),
        figures.parallel_lines(view_),
        figures.hypervolume_curves([view_]),
        figures.failure_bars(view_),
        figures.stage_bars(view_),
        figures.layer_bars(view_, view_.front[:2] or view_.standings[:1]),
        figures.progress(view_),
        figures.scatter_matrix(view_),
    ]
    return [*found, *(figures.front_scatter(view_, name, names[0]) for name in names[1:])]


def plain(figure):
    return json.loads(figure.to_json(engine="json"))


def trace(figure, start):
    return next(found for found in figure.data if found.name.startswith(start))


def test_the_front_scatter_shows_every_design_with_both_figures_where_it_belongs(seen):
    """Front, dominated and infeasible points, each at its own figures, with its trial to click on."""
    figure = figures.front_scatter(seen, "lut", "accuracy")
    for start, wanted in (
        ("front (", [s for s in seen.standings if s.on_front]),
        ("dominated", [s for s in seen.feasible if not s.on_front]),
        ("over a limit", [s for s in seen.standings if s.state == "infeasible"]),
    ):
        drawn = trace(figure, start)
        points = {t: (x, y) for t, x, y in zip(drawn.customdata, drawn.x, drawn.y, strict=True)}
        assert points == {s.record.trial: (s.record.value("lut", JUDGE), s.record.value("accuracy", JUDGE)) for s in wanted}


def test_front_and_infeasible_points_differ_in_more_than_colour(seen):
    """Symbols and sizes tell them apart on a black and white print."""
    figure = figures.front_scatter(seen, "lut", "accuracy")
    front, dominated, beyond = (trace(figure, start).marker for start in ("front (", "dominated", "over"))
    assert beyond.symbol != front.symbol
    assert front.size > dominated.size


def test_the_front_line_passes_through_the_front_of_its_two_figures(seen):
    """Every front design of these two figures is a corner of the line; the line goes on to the axes' ends."""
    figure = figures.front_scatter(seen, "lut", "accuracy")
    line = trace(figure, "feasible front")
    points = np.array([(s.record.value("lut", JUDGE), -s.record.value("accuracy", JUDGE)) for s in seen.feasible])
    best = {(x, -y) for x, y in points[pareto.front(points)]}
    assert set(zip(line.x[1:-1], line.y[1:-1], strict=True)) == best
    assert line.line.shape == "hv"
    assert line.x[-1] == pytest.approx(figure.layout.xaxis.range[1])


def not_as_built(record):
    """The record before its design was emulated as it is built."""
    first = record.measurements[0]
    values = {name: value for name, value in first.values.items() if name != "agreement_test"}
    return replace(record, measurements=(replace(first, values=values), *record.measurements[1:]))


def test_while_a_sweep_runs_the_front_is_drawn_though_not_emulated_as_built(tmp_path):
    """Designs of the front that are not proven yet look different, and still have their line and their knee."""
    records = [not_as_built(plain_record(n, accuracy=0.5 + n / 10, lut=100 * 2**n)) for n in range(3)]
    unproven = view(write_run(tmp_path, records, what=TWO))
    assert [found.name for found in figures.front_scatter(unproven, "lut", "accuracy").data] == [
        "feasible front of these two",
        "front, not emulated as built yet (3)",
        f"knee: trial {unproven.knee.record.trial}",
    ]


def test_intervals_become_error_bars_of_the_front(seen):
    """As long as the record's interval, on the axis of that figure alone."""
    figure = figures.front_scatter(seen, "lut", "accuracy")
    drawn = trace(figure, "front (")
    for place, trial in enumerate(drawn.customdata):
        found = next(s for s in seen.front if s.record.trial == trial).record.measurement("lut", JUDGE)
        low, high = found.intervals["lut"]
        assert drawn.x[place] - drawn.error_x.arrayminus[place] == pytest.approx(low)
        assert drawn.x[place] + drawn.error_x.array[place] == pytest.approx(high)
    assert drawn.error_y.array is None


def test_limits_in_view_are_lines(tmp_path):
    """A budget that can be seen is drawn where it lies; one far away does not stretch the axis."""
    what = goals((Objective("accuracy"), Objective("lut")), (Limit("lut", at_most=1000), Limit("accuracy", at_least=0.1)))
    records = [plain_record(n, accuracy=0.8 + n / 100, lut=980 + n) for n in range(40)]
    figure = figures.front_scatter(view(write_run(tmp_path, records, what=what)), "lut", "accuracy")
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(1000, 1000)]
    assert figure.layout.annotations[0].text == "lut &lt;= 1000"


def test_points_outside_the_axes_are_counted(seen):
    """What cannot be seen is at least said."""
    figure = figures.front_scatter(seen, "dsp", "accuracy")
    low, high = figure.layout.xaxis.range
    down, up = figure.layout.yaxis.range
    drawn = trace(figure, "over a limit")
    outside = sum(not (low <= x <= high and down <= y <= up) for x, y in zip(drawn.x, drawn.y, strict=True))
    assert outside > 0
    assert drawn.name == f"over a limit ({len(drawn.x)}, {outside} out of view)"


def test_a_figure_that_only_some_designs_have_can_be_plotted(tmp_path):
    """Power that was stated for two designs: these two are drawn, and the knee only if it is one of them."""
    records = [plain_record(n, accuracy=0.5 + n / 10, lut=100 * 2**n) for n in range(4)]
    knee = view(write_run(tmp_path / "a", records, what=TWO)).knee.record.trial
    power = {n: {"power_w": 1.5} for n in range(4) if n != knee}
    some = [
        plain_record(n, accuracy=r.value("accuracy"), lut=r.value("lut"), **power.get(n, {})) for n, r in enumerate(records)
    ]
    partly = view(write_run(tmp_path / "b", some, what=TWO))
    figure = figures.front_scatter(partly, "power_w", "accuracy")
    assert sorted(trace(figure, "front (").customdata) == [n for n in range(4) if n != knee]
    assert not any(found.name.startswith("knee") for found in figure.data)


def test_axes_can_be_logarithmic_on_request(seen):
    """A person's choice beats the automatic one, where figures allow it."""
    assert figures.front_scatter(seen, "lut", "accuracy", log_x=True).layout.xaxis.type == "log"
    assert figures.front_scatter(seen, "lut", "accuracy", log_x=False).layout.xaxis.type == "linear"
    assert figures.front_scatter(seen, "dsp", "accuracy", log_x=True).layout.xaxis.type == "linear"  # 0 DSP


def test_axes_name_figure_unit_and_the_better_side(seen):
    """A reader of the picture alone knows what is plotted in what."""
    layout = figures.front_scatter(seen, "dsp", "accuracy").layout
    assert (layout.xaxis.title.text, layout.yaxis.title.text) == ("dsp [blocks] ↓", "accuracy [fraction] ↑")


def test_the_matrix_has_every_pair_of_objectives_once(seen):
    """Six panels for four objectives, each holding the front's figures."""
    figure = figures.scatter_matrix(seen)
    fronts = [found for found in figure.data if found.name.startswith("front")]
    assert len(fronts) == 6
    pairs = {(tuple(found.x), tuple(found.y)) for found in fronts}
    front = [s for s in seen.standings if s.on_front]
    columns = [tuple(s.record.value(name, JUDGE) for s in front) for name in NAMES]
    assert pairs == {(columns[x], columns[y]) for x in range(4) for y in range(x + 1, 4)}
    assert sum(found.showlegend for found in figure.data) == 3


def test_every_figure_names_judge_and_study(seen, tmp_path):
    """A picture that is passed on still says whose figures it shows."""
    other = view(build_run(tmp_path), "vitis")
    for drawn, judge in ((seen, JUDGE), (other, VITIS)):
        for figure in every(drawn):
            assert judge.name in figure.layout.title.subtitle.text
            assert "digits" in figure.layout.title.subtitle.text


def test_figures_use_the_palette_alone(seen):
    """Each colour has a dark counterpart only if it is one of the palette's."""
    found = {color.lower() for figure in every(seen) for color in re.findall(r'"(#[0-9a-fA-F]{3,8})"', figure.to_json())}
    assert found <= set(LIGHT.values())


def test_no_text_of_a_record_becomes_markup(tmp_path):
    """Names of studies, knobs, layers, stages and what fails may hold tags: they are shown, never read as tags."""
    records = []
    for trial in range(4):
        knobs = {f"architecture.{HOSTILE}": f"{HOSTILE}{trial}"}
        record = plain_record(trial, accuracy=0.9 + trial / 100, dsp=1 + trial, lut=9, latency_ns=5, knobs=knobs)
        costs = record.measurements[1]
        layered = Measurement(costs.source, costs.values, costs.judge, {HOSTILE: costs.values})
        records.append(replace(record, measurements=(record.measurements[0], layered), seconds={HOSTILE: 3.0}))
    records.append(plain_record(9, failure=Failure(HOSTILE, "crash", HOSTILE)))
    hostile = view(write_run(tmp_path, records, name=HOSTILE))
    for figure in every(hostile):
        text = figure.to_json(engine="json")
        assert "alert(1)" in text
        assert not re.search(r"<(?!/?b>|br>|/?extra>)", json.dumps(json.loads(text), ensure_ascii=False))


def test_an_empty_run_gives_figures_that_say_so(tmp_path):
    """A note instead of an exception or a blank."""
    for figure in every(view(write_run(tmp_path, []))):
        assert len(figure.data) == 0
        assert figure.layout.annotations[0].text.startswith("no ") or "states no" in figure.layout.annotations[0].text


def test_all_infeasible_designs_are_still_shown(tmp_path):
    """Where nothing is feasible one wants to see how far off it is."""
    hard = view(build_run(tmp_path, what=goals(limits=(Limit("lut", at_most=10),))))
    assert hard.front == ()
    figure = figures.front_scatter(hard, "lut", "accuracy")
    assert [found.name for found in figure.data] == [f"over a limit ({hard.counts['infeasible']})"]
    assert len(figures.parallel_coordinates(hard).data[0].dimensions) > 4


@pytest.mark.parametrize("draw", [figures.parallel_coordinates, figures.parallel_lines])
def test_parallel_coordinates_have_an_axis_for_every_knob_that_differs_and_every_objective(seen, draw):
    """Constant knobs are left out: input_bits is 16 everywhere."""
    figure = draw(seen)
    lines = draw is figures.parallel_lines
    labels = list(figure.layout.xaxis.ticktext) if lines else [d.label for d in figure.data[0].dimensions]
    assert labels[:5] == ["weight_bits", "weight_bits.output", "activation_bits", "sparsity", "reuse_factor"]
    assert "input_bits" not in labels
    assert labels[-4:] == ["accuracy [fraction] ↑", "dsp [blocks] ↓", "lut ↓", "latency_ns ↓"]


def test_parallel_coordinates_hold_each_designs_own_values(seen):
    """Words and numbers are read back from the marks; figures are the records'."""
    dimensions = {d.label: d for d in figures.parallel_coordinates(seen).data[0].dimensions}
    drawn = [s for s in seen.feasible if not s.on_front] + [s for s in seen.feasible if s.on_front]
    strategy = dimensions["strategy"]
    assert [strategy.ticktext[v] for v in strategy["values"]] == [s.record.design.knobs["strategy"] for s in drawn]
    reuse = dimensions["reuse_factor"]
    assert [int(reuse.ticktext[v]) for v in reuse["values"]] == [s.record.design.knobs["reuse_factor"] for s in drawn]
    assert list(dimensions["accuracy [fraction] ↑"]["values"]) == [s.record.value("accuracy") for s in drawn]


def test_parallel_lines_stay_between_the_ends_of_their_axes(seen):
    """0 at the smallest and 1 at the largest value of each knob and figure, one line per design."""
    lines = figures.parallel_lines(seen).data
    places = len(figures.parallel_lines(seen).layout.xaxis.tickvals)
    rows = np.array([y for found in lines for y in found.y], dtype=float).reshape(-1, places + 1)
    assert np.isnan(rows[:, -1]).all()
    heights = rows[:, :-1]
    assert len(heights) == len(seen.feasible)
    assert heights.min(axis=0).tolist() == [0] * heights.shape[1]
    assert heights.max(axis=0).tolist() == [1] * heights.shape[1]


def test_the_hypervolume_curve_ends_at_the_fronts_hypervolume(seen):
    """The last point is the volume of the front alone, scaled to the space between best and worst feasible figures."""
    curve = figures.hypervolume_curves([seen]).data[0]
    points = minimised(seen.goals, seen.feasible)
    low, high = points.min(axis=0), points.max(axis=0)
    front = (minimised(seen.goals, seen.front) - low) / (high - low)
    assert curve.y[-1] == pytest.approx(pareto.hypervolume(front, [1.1] * 4) / 1.1**4)
    assert len(curve.y) == len(seen.standings)
    assert (np.diff(curve.y) >= 0).all()
    for standing, step in zip(seen.standings, np.diff(curve.y, prepend=0), strict=True):
        assert step == 0 or standing.feasible


def test_without_times_the_curve_over_time_says_so(tmp_path):
    """Records of other programs may not say when they were finished: words, not an empty pair of axes."""
    seen = view(write_run(tmp_path, [plain_record(n, accuracy=0.95, dsp=n, lut=9 + n, latency_ns=5) for n in range(3)]))
    over_time = figures.hypervolume_curves([seen], over_time=True)
    assert not over_time.data
    assert "finished" in over_time.layout.annotations[0].text
    assert figures.hypervolume_curves([seen]).data


def test_runs_are_compared_in_one_space(seen, tmp_path):
    """A run that found less ends lower, because both are measured against the same best and worst figures."""
    short = view(build_run(tmp_path, trials=12))
    both = figures.hypervolume_curves([seen, short]).data
    assert both[0].y[-1] > both[1].y[-1]
    assert len(both[1].y) == 12


def test_failures_are_counted_by_kind_and_side(seen):
    """Every failed record once, the design's faults apart from the machine's."""
    figure = figures.failure_bars(seen)
    counts = {(found.name, kind): count for found in figure.data for kind, count in zip(found.y, found.x, strict=True)}
    expected: dict = {}
    for standing in seen.standings:
        failure = standing.record.failure
        if failure is not None:
            key = ("the machine" if failure.passing else "the design", failure.kind)
            expected[key] = expected.get(key, 0) + 1
    assert counts == expected


def test_stage_times_are_totals_over_all_trials(seen):
    """Seconds of the records added up, whatever unit the axis has."""
    figure = figures.stage_bars(seen)
    scale = {"h": 3600, "min": 60, "s": 1}[figure.layout.xaxis.title.text.split("[")[1][:-1]]
    shown = {stage: total * scale for stage, total in zip(figure.data[0].y, figure.data[0].x, strict=True)}
    for stage, total in shown.items():
        assert total == pytest.approx(sum(s.record.seconds.get(stage, 0) for s in seen.standings))
    assert set(shown) == {"train", "compress", "convert", "emulate", "synthesize"}


def test_layer_bars_are_shares_of_the_layers_sum(seen):
    """Each bar fills 100 %; a layer's piece is its figure over the sum; the label has the design's own figure."""
    standing = next(s for s in seen.front if s.record.value("dsp", JUDGE) > 0)
    figure = figures.layer_bars(seen, [standing])
    layers = standing.record.measurement("lut", JUDGE).layers
    row = list(figure.data[0].y).index(f"lut (design: {standing.record.value('lut', JUDGE):,.0f})")
    pieces = {found.name: found.x[row] for found in figure.data}
    total = sum(values["lut"] for values in layers.values())
    assert pieces == pytest.approx({name: 100 * values["lut"] / total for name, values in layers.items()})
    assert list(pieces) == list(layers)


def test_two_designs_have_bars_side_by_side(seen):
    """What to compare stands together: the same figure of both trials, one below the other."""
    one, other = seen.front[:2]
    labels = figures.layer_bars(seen, [one, other], ["lut"]).data[0].y
    assert [label.rsplit(" ", 1)[1] for label in labels] == [str(one.record.trial), str(other.record.trial)]


def test_a_judge_without_layers_says_so(tmp_path):
    """Vitis' figures here are totals alone."""
    other = view(build_run(tmp_path), "vitis")
    assert "no figures per layer" in figures.layer_bars(other, other.front[:1]).layout.annotations[0].text


def test_one_objective_is_shown_over_trials(tmp_path):
    """The best so far never gets worse and ends at the best design."""
    what = goals((Objective("lut"),), LIMITS[:1])
    one = view(build_run(tmp_path, what=what))
    best = trace(figures.progress(one), "best so far")
    assert (np.diff(best.y) <= 0).all()
    assert best.y[-1] == min(s.record.value("lut", JUDGE) for s in one.feasible)


def test_an_axis_of_equal_figures_has_one_mark(tmp_path):
    """A figure that all designs share, such as 0 DSP, is told by itself: there is no -1 DSP."""
    records = [plain_record(n, accuracy=0.95 - n / 100, dsp=0, lut=900 - 9 * n, latency_ns=5 + n) for n in range(4)]
    drawn = figures.parallel_coordinates(view(write_run(tmp_path, records)))
    axis = next(one for one in drawn.data[0].dimensions if one.label.startswith("dsp"))
    assert list(axis.ticktext) == ["0"]
    assert list(axis.tickvals) == [0.0]
    assert axis.range[0] < 0 < axis.range[1]


def test_points_that_are_faint_because_they_are_many_are_seen_in_the_legend(tmp_path, monkeypatch):
    """Their entry is nearly opaque; points and entry come and go together."""
    seen = look(view(build_run(tmp_path)))
    monkeypatch.setattr(front, "FAINT", 0.8)
    traces = front.sketch(seen, figures.Picture("lut", "accuracy"))["data"]
    for name in ("dominated", "over a limit"):
        points, key = (trace for trace in traces if trace.get("legendgroup") == name)
        assert points["showlegend"] is False
        assert key["name"] == points["name"]
        assert key["marker"]["opacity"] > points["marker"]["opacity"]
        assert not np.isfinite(key["x"]).any()


def test_in_space_axes_span_what_is_feasible_and_marks_are_those_that_fonts_have(tmp_path):
    """What lies beyond is counted in the legend."""
    seen = look(view(build_run(tmp_path, 200)))
    drawn = figures.draw(seen, figures.Picture("lut", "accuracy", "dsp"))
    over = next(trace for trace in drawn.data if trace.name.startswith("over a limit"))
    low, high = drawn.layout.scene.zaxis.range
    dsp = seen.columns.figure("dsp")
    assert low <= dsp[seen.feasible].min()
    assert dsp[seen.feasible].max() <= high < np.nanmax(dsp)
    assert "out of view" in over.name
    assert over.marker.symbol == "cross"


def test_decades_have_whole_numbers_at_their_marks(tmp_path):
    """An axis of figures writes 20 or 5k, not a bare 2 or 5; a knob's has a mark at each of its few values."""
    seen = view(build_run(tmp_path, 200))
    axis = figures.front_scatter(seen, "latency_ns", "accuracy", log_x=True).layout.xaxis
    assert (axis.type, axis.tickformat) == ("log", "~s")
    drawn = figures.slices(look(seen), "lut").layout
    axes = [drawn[name] for name in drawn.to_plotly_json() if name.startswith("xaxis")]
    reuse = next(axis for axis in axes if axis.title.text == "reuse_factor")
    assert (reuse.type, list(reuse.tickvals)) == ("log", [1, 2, 4, 8, 16, 32])


def test_symbols_by_a_knob_are_hollow_where_a_limit_is_not_kept(seen):
    """Shape says the knob's value, filling whether the design keeps the limits."""
    drawn = figures.draw(look(seen), figures.Picture("lut", "accuracy", color="sparsity", symbol="io_type"))
    groups = [trace for trace in drawn.data if trace.name.startswith(("over a limit", "dominated", "front ("))]
    found = {trial: symbol for group in groups for trial, symbol in zip(group.customdata, group.marker.symbol, strict=True)}
    shapes = {"io_parallel": "circle", "io_stream": "square"}
    wanted = {
        standing.record.trial: shapes[standing.record.design.knobs["io_type"]] + ("" if standing.feasible else "-open")
        for standing in seen.standings
        if standing.record.trial in found
    }
    assert found == wanted
    assert len(set(found.values())) == 4

"""What figures plot."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from build_run import JUDGE, build_run, goals, plain_record, synthesized, write_run

from dashboards.columns import gather
from dashboards.points import Axis, axis_title, groups, hover, logarithmic, steps
from dashboards.sight import look
from dse.goals import Limit, Objective
from dse.view import view

TWO = goals((Objective("accuracy"), Objective("lut")), (Limit("lut", at_most=1000),))


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    return view(build_run(tmp_path_factory.mktemp("runs") / "digits"))


def test_every_measured_or_infeasible_design_is_in_exactly_one_group(seen):
    """Nothing is drawn twice, nothing that has both figures is left out, and nothing without figures is drawn at 0."""
    drawn = [trial for group in groups(look(seen), ("accuracy", "lut")) for trial in group.trials]
    expected = [s.record.trial for s in seen.standings if s.state in ("measured", "infeasible")]
    assert sorted(drawn) == sorted(expected)


def test_groups_hold_the_figures_of_the_views_judge(seen, tmp_path):
    """Another judge's view draws another judge's figures."""
    run = build_run(tmp_path)
    other = view(run, "vitis")
    for group in groups(look(other), ("lut",)):
        records = [run.record(trial) for trial in group.trials]
        assert group.figures("lut").tolist() == [record.value("lut", other.judge) for record in records]
        assert group.figures("lut").tolist() != [record.value("lut", JUDGE) for record in records]


def test_bounds_are_the_stated_intervals(tmp_path):
    """Error bars reach from the figure to the interval's ends; where nothing is stated they have no length."""
    record = plain_record(7, accuracy=0.95)
    record = record.plus((synthesized(record.design),))
    measured = view(write_run(tmp_path, [record, plain_record(1, accuracy=0.95, lut=10, dsp=1, latency_ns=1)]))
    rows = {trial: (group, n) for group in groups(look(measured), ("lut",)) for n, trial in enumerate(group.trials)}
    group, row = rows[7]
    low, high = record.measurement("lut").intervals["lut"]
    above, below = group.bounds("lut")
    value = record.value("lut")
    assert (value - below[row], value + above[row]) == pytest.approx((low, high))
    assert group.bounds("dsp") is None


def brute_steps(points, signs):
    signed = [tuple(s * v for s, v in zip(signs, p, strict=True)) for p in points]
    kept = {
        p
        for p, q in zip(points, signed, strict=True)
        if not any(all(a <= b for a, b in zip(o, q, strict=True)) and o != q for o in signed)
    }
    return sorted(kept)


@pytest.mark.parametrize(
    ("x", "y", "signs"),
    [
        ("lut", "accuracy", (1, -1)),
        ("accuracy", "lut", (-1, 1)),
        ("dsp", "latency_ns", (1, 1)),
        ("agreement", "lut", (0, 1)),
    ],
)
def test_steps_are_the_front_of_two_figures_alone(seen, x, y, signs):
    """Against brute force over the feasible designs, whatever is better in either figure."""
    points = [(s.record.value(x, JUDGE), s.record.value(y, JUDGE)) for s in seen.feasible]
    if "agreement" in (x, y):
        assert steps(look(seen), x, y)[0].size == 0  # neither more nor less of it is better
    else:
        assert list(zip(*steps(look(seen), x, y), strict=True)) == brute_steps(points, signs)


def test_an_objectives_own_direction_counts(tmp_path):
    """A study that maximises DSP, for whatever reason, gets arrows and steps its way."""
    what = goals((Objective("accuracy"), Objective("dsp", "max")), ())
    records = [plain_record(n, accuracy=a, dsp=d) for n, (a, d) in enumerate([(0.9, 1), (0.8, 5), (0.7, 2)])]
    measured = view(write_run(tmp_path, records, what=what))
    assert axis_title(look(measured), "dsp") == "dsp [blocks] ↑"
    assert [list(line) for line in steps(look(measured), "dsp", "accuracy")] == [[1, 5], [0.9, 0.8]]


def test_axes_span_what_is_feasible(seen):
    """An infeasible design far away does not squeeze the front into a corner."""
    drawn = groups(look(seen), ("lut",))
    axis = Axis.over(drawn, "lut")
    feasible = np.array([s.record.value("lut", JUDGE) for s in seen.feasible])
    everything = np.concatenate([group.figures("lut") for group in drawn])
    assert axis.holds(feasible).all()
    assert not axis.holds(everything).all()


@pytest.mark.parametrize("log", [None, True, False])
@pytest.mark.parametrize("figures", [[5], [0, 0], [1, 1e6], [-3, 4], [0, 1e6]])
def test_an_axis_holds_its_figures_and_has_a_length(tmp_path, figures, log):
    """One point, equal points, zeros, negative and far-apart figures; decades only where all are above 0."""
    records = [plain_record(n, accuracy=0.5, wns_ns=value) for n, value in enumerate(figures)]
    measured = view(write_run(tmp_path, records, what=goals((Objective("accuracy"),), ())))
    axis = Axis.over(groups(look(measured), ("wns_ns",)), "wns_ns", log=log)
    assert axis.holds(np.array(figures, dtype=float)).all()
    assert axis.low < axis.high
    assert not (axis.log and min(figures) <= 0)
    low, high = axis.layout()["range"]
    assert (10**low, 10**high) == pytest.approx((axis.low, axis.high)) if axis.log else (low, high) == (axis.low, axis.high)


def test_far_apart_figures_want_decades():
    """Thirty times apart, all above 0."""
    assert logarithmic(np.array([1.0, 30.0]))
    assert not logarithmic(np.array([1.0, 29.0]))
    assert not logarithmic(np.array([0.0, 1e6]))
    assert not logarithmic(np.array([]))


def test_a_layer_that_is_not_named_has_the_knobs_common_value(tmp_path):
    """`weight_bits.fc1` of a design with 8 bits everywhere is 8."""
    record = plain_record(0, knobs={"weight_bits.fc2": 4})
    columns = gather(JUDGE, [record])
    names = ("weight_bits", "weight_bits.fc1", "weight_bits.fc2", "clock_ns")
    assert [columns.setting(name).of(0) for name in names] == [8, 8, 4, None]


def test_hovering_says_state_figures_and_knobs_with_all_text_escaped(tmp_path):
    """Tags of a record are text; what is over a limit says which limit."""
    record = replace(plain_record(3, accuracy=0.5, lut=2000, knobs={"architecture.<b>": "</b><a href=x>"}), effective={})
    measured = view(write_run(tmp_path, [record], what=TWO))
    text = hover(look(measured), 0)
    assert "trial 3</b> · over a limit" in text
    assert "lut <b>2,000</b>" in text
    assert "over: lut &lt;= 1000" in text
    assert "architecture.&lt;b&gt; &lt;/b&gt;&lt;a href=x&gt;" in text
    assert "<a" not in text


def test_a_group_says_how_many_it_holds(seen):
    """The legend counts, so that nobody has to."""
    labels = [group.label for group in groups(look(seen), ("accuracy",))]
    counts = [len(seen.front), len(seen.feasible) - len(seen.front)]
    assert f"front ({counts[0]})" in labels
    assert f"dominated ({counts[1]})" in labels
    assert all(
        group.symbol != other.symbol or group.size != other.size
        for group, other in itertools.combinations(groups(look(seen), ("accuracy",)), 2)
    )

"""Objectives and limits: what is feasible, and by how much the rest is not."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from build_run import JUDGE, VITIS, goals, plain_record
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import UsageError
from dse.goals import Goals, Limit, Objective
from dse.metrics import METRICS, Metric
from dse.record import Failure

RESOURCES = {"dsp": 220, "lut": 53200, "uram": 0}
numbers = st.floats(-1e6, 1e6)


@pytest.mark.parametrize("name", [name for name, row in METRICS.items() if row.better])
def test_an_objective_goes_where_the_metric_is_better(name):
    """Sign * value is always to be made small."""
    found = Objective(name)
    assert found.direction == METRICS[name].better
    assert found.sign == (-1 if METRICS[name].better == "max" else 1)


def test_a_direction_can_be_turned_round():
    """The study's word goes before the table's."""
    assert Objective("accuracy", "min").sign == 1


@pytest.mark.parametrize(
    ("name", "direction", "said"),
    [
        ("accuracy_n", "", 'accuracy_n: direction must be "max" or "min"'),
        ("lut", "down", "got 'down'"),
    ],
)
def test_an_objective_without_a_direction_is_refused(name, direction, said):
    """Those of which neither more nor less is better, and directions that are none."""
    with pytest.raises(UsageError, match=said):
        Objective(name, direction)


@pytest.mark.parametrize("unknown", [{"objectives": (Objective("luts", "min"),)}, {"limits": (Limit("luts", at_most=5),)}])
def test_goals_on_figures_that_nobody_defines_are_refused(unknown):
    """A name is one of METRICS or of the study's own; what is wanted may be spelt otherwise."""
    with pytest.raises(UsageError, match=r"metric must be one of accuracy, .*lut, .*; got 'luts'"):
        replace(goals((Objective("lut"),)), **unknown)
    luts = Metric("luts", "", "min", "what this study calls so")
    known = replace(goals((Objective("lut"),)), own=(luts,), **unknown)
    assert known.metric("luts") == luts
    assert Goals.from_json(json.loads(json.dumps(known.as_json()))) == known
    assert "metrics" not in goals((Objective("lut"),)).as_json()


@given(numbers, numbers)
def test_a_limit_is_kept_exactly_where_the_shortfall_is_not_above_zero(bound, value):
    """The bound itself is kept, from both sides."""
    assert (Limit("lut", at_most=bound).shortfall(value, {}) <= 0) == (value <= bound)
    assert (Limit("lut", at_least=bound).shortfall(value, {}) <= 0) == (value >= bound)


@given(st.floats(0, 1e4), st.integers(1, 10**6), numbers)
def test_a_percentage_is_of_the_parts_resources(percent, there, value):
    """at_most_percent=p of n blocks is at_most p n / 100."""
    relative = Limit("lut", at_most_percent=percent)
    assert relative.bound({"lut": there}) == percent / 100 * there
    assert relative.shortfall(value, {"lut": there}) == Limit("lut", at_most=percent / 100 * there).shortfall(value, {})


@pytest.mark.parametrize(
    ("limit", "value", "over"),
    [
        (Limit("lut", at_most=1000), 1500, 0.5),
        (Limit("lut", at_most=1000), 900, -0.1),
        (Limit("dsp", at_most=0), 3, 3.0),  # of one block where the bound is 0
        (Limit("dsp", at_most=0.5), 2, 1.5),
        (Limit("wns_ns", at_least=-0.2), -0.7, 0.5),
        (Limit("mse", at_most=0.01), 0.02, 1.0),  # errors have no scale of their own
        (Limit("accuracy", at_least=0.8), 0.6, 0.25),  # of the bound alone: one unit would be all of it
        (Limit("lut", at_most_percent=50), 53200, 1.0),
        (Limit("uram", at_most_percent=50), 2, 2.0),
    ],
)
def test_a_shortfall_is_relative_to_the_bound(limit, value, over):
    """(value - bound) / max(|bound|, 1 unit), sign by direction; by hand."""
    assert limit.shortfall(value, RESOURCES) == pytest.approx(over)


def test_a_percentage_of_what_the_part_has_not_is_refused():
    """Latency has no share of a part, and without resources nothing has."""
    with pytest.raises(UsageError, match="limit on latency_ns: in percent only for dsp, lut, uram of the part"):
        Limit("latency_ns", at_most_percent=50).bound(RESOURCES)
    with pytest.raises(UsageError, match="only for nothing of the part"):
        Limit("lut", at_most_percent=50).bound({})


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({}, "limit on lut: give exactly one of at_most, at_least, at_most_percent; got 0"),
        ({"at_most": 5, "at_least": 0}, "got 2"),
        ({"at_most": float("nan")}, "the bound must be a finite number, got nan"),
        ({"at_least": float("inf")}, "got inf"),
        ({"at_most_percent": "50"}, "got '50'"),
        ({"at_most": True}, "got True"),
    ],
)
def test_a_limit_has_one_bound_and_a_number(bounds, said):
    """A bound of NaN would be kept by everything."""
    with pytest.raises(UsageError, match=said):
        Limit("lut", **bounds)


def test_a_limit_of_zero_is_a_limit():
    """0 is a bound, None is none."""
    assert Limit("dsp", at_most=0).bound({}) == 0
    assert Limit("wns_ns", at_least=0).shortfall(-0.1, {}) > 0


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (Limit("accuracy", at_least=0.85), "accuracy >= 0.85"),
        (Limit("lut", at_most=1234567), "lut <= 1234567"),
        (Limit("lut", at_most_percent=50), "lut <= 50 % of the part"),
        (Limit("lut", at_most=9, confidence=0.9), "lut <= 9 (90% sure)"),
    ],
)
def test_a_limit_reads_as_it_is_meant(limit, text):
    """All digits: two limits with one text would be taken for one."""
    assert str(limit) == text


def test_a_limit_with_confidence_is_held_against_the_worse_end_of_an_interval():
    """An estimate of 90 LUTs (70 to 120) keeps a limit of 100, but not surely; a figure without interval is what it is."""
    sure, plain = Limit("lut", at_most=100, confidence=0.9), Limit("lut", at_most=100)
    floor = Limit("lut", at_least=80, confidence=0.9)
    what = goals((Objective("lut"),), (sure, plain, floor))
    stated = plain_record(0, lut=90)
    (measurement,) = stated.measurements
    unsure = replace(stated, measurements=(replace(measurement, intervals={"lut": (70, 120)}),))
    assert what.shortfalls(unsure) == {str(sure): 0.2, str(plain): -0.1, str(floor): 0.125}
    assert what.shortfalls(stated) == {str(sure): -0.1, str(plain): -0.1, str(floor): -0.125}
    assert Goals.from_json(json.loads(json.dumps(what.as_json()))) == what


def test_confidence_is_that_of_the_intervals():
    """Nobody states 99 % intervals."""
    with pytest.raises(UsageError, match=r"confidence must be 0.9, as estimates have; got 0.99"):
        Limit("lut", at_most=1, confidence=0.99)


def test_values_are_those_of_the_judge_in_the_objectives_order():
    """Figures of others do not stand in; without one of them there is no point on the front."""
    what = goals((Objective("lut"), Objective("accuracy")), ())
    assert what.values(plain_record(0, accuracy=0.9, lut=0)) == (0, 0.9)
    assert what.values(plain_record(0, accuracy=0.9)) is None
    assert what.values(plain_record(0, accuracy=0.9, lut=5, judge=VITIS)) is None


def test_shortfalls_leave_out_what_nobody_has_stated():
    """A limit on an unknown figure is neither kept nor broken."""
    what = goals((Objective("accuracy"),), (Limit("lut", at_most=100), Limit("dsp", at_most=0)))
    assert what.shortfalls(plain_record(0, accuracy=0.9, lut=150)) == {"lut <= 100": 0.5}
    assert what.shortfalls(plain_record(0, accuracy=0.9, dsp=0)) == {"dsp <= 0": 0.0}


@given(st.none() | st.integers(0, 4), st.none() | st.integers(0, 4), st.booleans(), st.booleans())
def test_feasible_is_judged_unbroken_and_within_all_limits(lut, dsp, failed, pruned):
    """Against the definition, for every combination of known, unknown, kept and broken."""
    what = goals((Objective("lut"),), (Limit("lut", at_most=2), Limit("dsp", at_least=1)))
    costs = {name: value for name, value in (("lut", lut), ("dsp", dsp)) if value is not None}
    failure = Failure("emulate", "crash", "") if failed else None
    record = plain_record(0, **costs, failure=failure, pruned="accuracy >= 1" if pruned else "")
    unbroken = not failed and not pruned
    assert what.feasible(record) == (unbroken and lut is not None and dsp is not None and lut <= 2 and dsp >= 1)


def test_the_same_limit_twice_is_one_limit():
    """It must not make every design infeasible."""
    record = plain_record(0, lut=1_234_567)
    twice = goals((Objective("lut"),), (Limit("lut", at_most=1_234_567), Limit("lut", at_most=1_234_567)))
    assert twice.feasible(record)
    near = goals((Objective("lut"),), (Limit("lut", at_most=1_234_568), Limit("lut", at_most=1_234_566)))
    assert not near.feasible(record)


def test_goals_come_back_from_their_json():
    """Readers of a run compare its records by what is written there."""
    what = goals((Objective("accuracy"), Objective("lut", "max")), (Limit("lut", at_most=5), Limit("dsp", at_most_percent=1)))
    assert Goals.from_json(json.loads(json.dumps(what.as_json()))) == what
    assert what.judge == JUDGE

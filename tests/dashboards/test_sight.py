"""Columns say of all designs at once what a view says of each: held against it, and against brute force."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from build_run import JUDGE, LIMITS, OBJECTIVES, VITIS, build_run, goals, parameters_of, plain_record, record_of, write_run

from dashboards.columns import Gathering, gather
from dashboards.sight import Sight, look
from dse.goals import Limit, Objective
from dse.metrics import Measurement
from dse.record import Failure
from dse.run import open_run
from dse.view import STATES, view

TWO = (Objective("accuracy"), Objective("lut"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("runs") / "digits", 200)


WHATS = [
    goals(),
    goals(limits=()),
    goals(limits=(Limit("lut", at_most=3000), Limit("latency_ns", at_most=100), Limit("accuracy", at_least=0.95))),
    goals(limits=(Limit("lut", at_most=9000, confidence=0.9),)),
    goals(limits=(Limit("lut", at_most_percent=1.0),)),
    goals((Objective("dsp", "max"), Objective("ff")), (Limit("power_w", at_most=1),)),
    goals((Objective("latency_ns"),), (Limit("dsp", at_most=0),)),
    goals(judge=VITIS),
]


@pytest.mark.parametrize("what", WHATS, ids=range(len(WHATS)))
def test_a_sight_stands_every_record_as_the_view_does(run, what):
    """State, shortfalls, front, knee, nearest and counts, for budgets of all kinds and for another judge."""
    seen = view(replace(run, goals=what))
    sight = look(seen)
    assert [STATES[state] for state in sight.states] == [s.state for s in seen.standings]
    assert sight.on_front.tolist() == [s.on_front for s in seen.standings]
    assert sight.as_built.tolist() == [s.as_built for s in seen.standings]
    assert [int(sight.columns.trials[row]) for row in sight.front] == [s.record.trial for s in seen.front]
    assert sight.counts == seen.counts
    for row, standing in enumerate(seen.standings):
        stated = {
            str(limit): over for limit, over in zip(what.limits, sight.shortfalls[row], strict=True) if not math.isnan(over)
        }
        assert stated == dict(standing.shortfalls)
        assert tuple(str(limit) for limit, _ in sight.violated(row)) == standing.violated
    knee = None if seen.knee is None else seen.knee.record.trial
    assert (None if sight.knee is None else sight.columns.trials[sight.knee]) == knee
    if seen.nearest is None:
        assert sight.nearest is None
    else:
        row, limit, over = sight.nearest
        assert (sight.columns.trials[row], str(limit), over) == (seen.nearest[0].record.trial, *seen.nearest[1:])


def brute_best(records, what, judge, without=None):
    """The value of the first objective of the best design that keeps all limits, but for one."""
    found = []
    for record in records:
        limits = [limit for limit in what.limits if limit is not without]
        values = [record.value(limit.metric, judge) for limit in what.limits]
        if record.failure or record.pruned or None in values or what.values(record) is None:
            continue
        if all(limit.shortfall(record.value(limit.metric, judge), what.resources) <= 0 for limit in limits):
            found.append(record)
    first = what.objectives[0]
    return min(found, key=lambda r: first.sign * r.value(first.metric, judge), default=None), found


@pytest.mark.parametrize("seed", range(8))
def test_best_and_binding_limit_are_those_of_brute_force(run, seed):
    """Over random budgets: the best design, the limit whose end would gain most, and the nearest better design beyond it."""
    draw = random.Random(seed)
    limits = (
        Limit("lut", at_most=draw.choice([800, 2000, 5000, 20000])),
        Limit("latency_ns", at_most=draw.choice([30, 60, 120, 400])),
        Limit("dsp", at_most=draw.choice([0, 20, 300])),
    )
    what = goals(limits=limits)
    sight = look(view(replace(run, goals=what)))
    best, _ = brute_best(run.records, what, JUDGE)
    row = sight.best()
    if best is None:
        assert row is None
    else:
        assert sight.columns.figure("accuracy")[row] == best.value("accuracy")
    reaches = {}
    for limit in limits:
        free, _ = brute_best(run.records, what, JUDGE, without=limit)
        if free is not None and (best is None or free.value("accuracy") > best.value("accuracy")):
            reaches[str(limit)] = free.value("accuracy")
    found = sight.binding()
    if not reaches:
        assert found is None
        return
    assert found.reach == max(reaches.values()) == reaches[str(found.limit)]
    _, keepers = brute_best(run.records, what, JUDGE, without=found.limit)
    better = [r for r in keepers if best is None or r.value("accuracy") > best.value("accuracy")]
    assert found.over == min(found.limit.shortfall(r.value(found.limit.metric, JUDGE), what.resources) for r in better)


def test_the_margin_is_the_smallest_room_under_any_limit(tmp_path):
    """900 of 1,000 LUT is 10 %, 0.95 of at least 0.9 is 5.6 %: accuracy is nearer."""
    what = goals(TWO, (Limit("lut", at_most=1000), Limit("accuracy", at_least=0.9)))
    sight = look(view(write_run(tmp_path, [plain_record(0, accuracy=0.95, lut=900)], what=what)))
    limit, room = sight.tightest(0)
    assert (limit.metric, room) == ("accuracy", pytest.approx(0.05 / 0.9))
    assert (
        look(view(write_run(tmp_path / "free", [plain_record(0, accuracy=0.5, lut=1)], what=goals(TWO, ())))).tightest(0)
        is None
    )


def test_best_can_be_asked_of_any_objective(run):
    """The smallest LUT under the same budgets."""
    sight = look(view(run))
    row = sight.best(2)
    assert sight.columns.figure("lut")[row] == sight.columns.figure("lut")[sight.feasible].min()


def test_nothing_at_all_has_no_best_and_binds_nothing(tmp_path):
    """An empty run, and one in which everything failed."""
    for records in ([], [plain_record(0, failure=Failure("train", "crash", "x"))]):
        sight = look(view(write_run(tmp_path / str(len(records)), records)))
        assert (sight.best(), sight.knee, sight.nearest, sight.binding()) == (None, None, None, None)


def test_figures_of_two_judges_do_not_meet(run):
    """What Vitis has not stated is missing in its columns, whatever the estimate says."""
    columns = look(view(run, "vitis")).columns
    for trial, lut in zip(columns.trials, columns.figure("lut"), strict=True):
        stated = run.record(int(trial)).value("lut", VITIS)
        assert (stated is None and math.isnan(lut)) or stated == lut
    assert np.isfinite(columns.figure("lut")).sum() == 8


def test_growing_columns_end_where_reading_at_once_ends(tmp_path):
    """Records, figures added later, a failure added later and a trial's second word, one by one."""
    draw = random.Random(3)
    first = [record_of(n, parameters_of(draw), draw, LIMITS) for n in range(30)]
    grown = Gathering(JUDGE)
    for record in first:
        grown.record(record)
    again = record_of(4, parameters_of(draw), draw, LIMITS)
    grown.record(again)
    late = Measurement(again.measurements[0].source, {"power_w": 1.5}, VITIS)
    grown.added(7, [late], None)
    grown.added(8, [], Failure("verify", "mismatch", "differs"))
    by_trial = {record.trial: record for record in first}
    last = [r for r in first if r.trial != 4] + [again]
    last = [
        r.plus([late]) if r.trial == 7 else r.plus([], Failure("verify", "mismatch", "differs")) if r.trial == 8 else r
        for r in last
    ]
    for judge in (JUDGE, VITIS):
        one, other = grown.columns(judge), gather(judge, last)
        assert one.trials.tolist() == other.trials.tolist()
        for name in other.figures:
            np.testing.assert_array_equal(one.figure(name), other.figure(name))
        for name in other.knobs:
            assert [one.setting(name).of(n) for n in range(len(one))] == [other.setting(name).of(n) for n in range(len(other))]
        sights = [Sight("x", columns, goals(OBJECTIVES, judge=judge)) for columns in (one, other)]
        assert sights[0].states.tolist() == sights[1].states.tolist()
    assert by_trial[4] != again


def test_values_that_are_equal_and_not_the_same_are_kept_apart(tmp_path):
    """True is not 1, and a word is no number: a knob with both has no scale."""
    records = [plain_record(n, accuracy=0.5, knobs={"architecture.a": value}) for n, value in enumerate([1, True, "1", 2.5])]
    knob = gather(JUDGE, records).setting("architecture.a")
    assert [knob.of(n) for n in range(4)] == [1, True, "1", 2.5]
    assert isinstance(knob.of(1), bool)
    assert knob.numbers is None


def test_a_long_message_is_cut_and_says_so(tmp_path):
    """Ten megabytes of a tool's output do not stay in memory for every trial."""
    failure = Failure("synthesize", "tool", "x" * 10_000_000, "y" * 10_000_000)
    kept = gather(JUDGE, [plain_record(n, failure=failure) for n in range(3)]).failures
    assert len(kept) == 1
    assert "10,000,000 characters" in kept[0].message
    assert len(kept[0].message) + len(kept[0].log) < 10_000


def test_a_reopened_run_is_the_same(run):
    """What is on the disk is what is looked at."""
    assert look(view(open_run(run.folder))).states.tolist() == look(view(run)).states.tolist()

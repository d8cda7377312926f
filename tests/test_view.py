"""How records stand with a judge."""

from __future__ import annotations

from dataclasses import replace

import pytest
from build_run import EMULATION, JUDGE, LIMITS, SYNTHESIS, VITIS, build_run, goals, plain_record, synthesized, write_run

from dse.errors import UsageError
from dse.goals import Limit, Objective
from dse.metrics import Judge, Measurement, Source
from dse.record import Failure, Refusal
from dse.view import STATES, coverage, find_judge, judges, view

TWO = goals((Objective("accuracy"), Objective("lut")), (Limit("lut", at_most=1000),))


def states(run, judge=""):
    return [standing.state for standing in view(run, judge).standings]


def test_each_record_has_exactly_one_state(tmp_path):
    """Failed and pruned come first; then over a limit, then figures that are not there, and only then measured."""
    failure = Failure("emulate", "crash", "signal 11")
    records = [
        plain_record(0, accuracy=0.9, lut=500),
        plain_record(1, accuracy=0.9, lut=1001),
        plain_record(2, accuracy=0.9),
        plain_record(3, accuracy=0.1, pruned="accuracy >= 0.5"),
        plain_record(4, accuracy=0.9, lut=500, failure=failure),
        plain_record(5, lut=2000),
    ]
    run = write_run(tmp_path, records, what=TWO)
    assert states(run) == ["measured", "infeasible", "unjudged", "pruned", "failed", "infeasible"]
    assert view(run).counts == dict(zip(STATES, (1, 2, 1, 1, 1), strict=True))


def test_a_limited_figure_that_nobody_states_leaves_a_design_unjudged(tmp_path):
    """All objectives are there, but whether the limit is kept is not known: not feasible, and not called infeasible."""
    what = goals((Objective("accuracy"),), (Limit("dsp", at_most=3),))
    assert states(write_run(tmp_path, [plain_record(0, accuracy=0.9)], what=what)) == ["unjudged"]


def test_states_agree_with_the_goals(tmp_path):
    """A view calls exactly those records feasible that the goals call feasible."""
    run = build_run(tmp_path)
    assert [s.feasible for s in view(run).standings] == [run.goals.feasible(record) for record in run.records]


def test_the_front_holds_feasible_records_that_none_dominates(tmp_path):
    """More accuracy and fewer LUT are better; what is infeasible neither stands on the front nor pushes others off it."""
    figures = [(0.9, 500), (0.8, 400), (0.8, 450), (0.99, 1001), (0.95, 900), (0.9, 500)]
    run = write_run(tmp_path, [plain_record(n, accuracy=a, lut=lut) for n, (a, lut) in enumerate(figures)], what=TWO)
    assert [s.record.trial for s in view(run).front] == [4, 0, 5, 1]


def test_another_judge_has_a_front_of_its_own(tmp_path):
    """Only records that Vitis has judged stand on its front, with its figures; the study's own front stays as it is."""
    run = build_run(tmp_path)
    other = view(run, "vitis")
    judged = {record.trial for record in run.records if VITIS in record.judges}
    assert 0 < len(other.front) <= len(judged)
    assert {s.record.trial for s in other.front} <= judged
    assert all(s.values[2] == s.record.value("lut", VITIS) != s.record.value("lut", JUDGE) for s in other.front)
    assert view(run).judge == JUDGE


@pytest.mark.parametrize("text", ["vitis", "VITIS hls", "2023.2", VITIS.name])
def test_a_judge_is_found_by_its_name_or_a_part_that_is_its_alone(tmp_path, text):
    """Nobody types a whole judge's name; capitals do not matter."""
    assert find_judge(build_run(tmp_path), text) == VITIS


def test_an_unknown_or_ambiguous_judge_is_refused_with_the_known_ones(tmp_path):
    """The message lists what could have been meant."""
    run = build_run(tmp_path)
    with pytest.raises(UsageError, match="none of the judges") as unknown:
        view(run, "vivado")
    assert JUDGE.name in str(unknown.value)
    assert VITIS.name in str(unknown.value)
    with pytest.raises(UsageError, match="several"):
        view(run, "xc7z020")


def test_the_studys_judge_comes_first_even_where_it_has_said_nothing(tmp_path):
    """An empty run still has a judge."""
    assert judges(write_run(tmp_path, [])) == (JUDGE,)
    assert judges(build_run(tmp_path / "full")) == (JUDGE, VITIS)


def test_the_nearest_design_is_the_one_least_beyond_its_worst_limit(tmp_path):
    """12 % over the LUTs is nearer than 1 % of LUTs and 40 % of accuracy, and than a pruned one, whose LUTs nobody knows."""
    what = goals(limits=LIMITS)
    records = [
        plain_record(0, accuracy=0.95, dsp=1, lut=53200 * 1.12, latency_ns=1),
        plain_record(1, accuracy=0.54, dsp=1, lut=53200 * 1.01, latency_ns=1),
        plain_record(2, accuracy=0.89, pruned="accuracy >= 0.9"),
    ]
    standing, text, over = view(write_run(tmp_path, records, what=what)).nearest
    assert (standing.record.trial, text) == (0, "lut <= 53200")
    assert over == pytest.approx(0.12)
    assert view(write_run(tmp_path / "pruned", records[2:], what=what)).nearest[0].record.trial == 2
    assert view(write_run(tmp_path / "none", [], what=what)).nearest is None


def test_violated_limits_are_named_the_worst_first(tmp_path):
    """What to mend first comes first."""
    record = plain_record(0, accuracy=0.45, dsp=221, lut=53200 * 3, latency_ns=1)
    assert view(write_run(tmp_path, [record])).standings[0].violated == (
        "lut <= 53200",
        "accuracy >= 0.9",
        "dsp <= 100 % of the part",
    )


def test_the_knee_is_on_the_front(tmp_path):
    """A design that gives nearly the best of both; without a front there is none."""
    figures = [(0.99, 1000), (0.98, 300), (0.5, 250), (0.7, 600)]
    run = write_run(tmp_path, [plain_record(n, accuracy=a, lut=lut) for n, (a, lut) in enumerate(figures)], what=TWO)
    assert view(run).knee.record.trial == 1
    assert view(write_run(tmp_path / "none", [], what=TWO)).knee is None


def test_figures_added_later_make_an_unjudged_design_stand(tmp_path):
    """A judge that comes after the sweep judges the same designs."""
    record = plain_record(7, accuracy=0.95)
    assert states(write_run(tmp_path, [record])) == ["unjudged"]
    later = record.plus((synthesized(record.design),))
    assert states(write_run(tmp_path / "later", [later])) == ["measured"]


def test_a_front_design_that_was_not_emulated_as_built_is_named_and_not_exported_as_a_member(tmp_path):
    """Its score may come from an emulation shared with other hardware knobs: the proof is the emulation of its own project."""
    from dse.export import table
    from dse.listing import headline

    bare = Measurement(EMULATION, {"accuracy": 0.9})
    cost = plain_record(0, lut=100)
    shared = replace(cost, measurements=(bare, *cost.measurements))
    seen = view(write_run(tmp_path, [shared, plain_record(1, accuracy=0.8, lut=50)], what=TWO))
    assert [s.record.trial for s in seen.unproven] == [0]
    assert "1 of them not emulated as built yet" in headline(seen)
    found = table(seen)
    assert list(found["on_front"]) == [False, True]
    assert list(found["emulated_as_built"]) == [False, True]


def test_coverage_counts_designs_by_judge(tmp_path):
    """Each design once per judge that has stated a figure of it; a judge that only refused is there with none."""
    refusal = Refusal(VITIS, Failure("synthesize", "tool", "no"))
    records = [plain_record(0, lut=1), plain_record(1, lut=2).refused(refusal), plain_record(2, failure=refusal.failure)]
    run = write_run(tmp_path, records)
    assert coverage(run) == {JUDGE: 2, VITIS: 0}
    stated = records[1].plus([Measurement(SYNTHESIS, {"lut": 7}, VITIS)])
    assert stated.refusals == ()
    assert coverage(replace(run, records=(records[0], stated))) == {JUDGE: 2, VITIS: 1}


def test_judges_that_differ_in_one_number_are_told_apart(tmp_path):
    """Two cuts of open synthesis: as whole words, and by several parts of a name; else both are named, and how to choose."""
    cuts, records = ("2.5", "5", "50"), []
    for trial, cut in enumerate(cuts):
        pair = [
            Judge(who, tool, f"1, cut at {cut}", "netlist", "xcu250", 5.0)
            for who, tool in (("open", "yosys"), ("adders", "alkaid"))
        ]
        stated = [Measurement(Source("synthesize", j.tool, "1", "netlist", f"{trial}{j.tool}"), {"lut": 9.0}, j) for j in pair]
        records.append(plain_record(trial, accuracy=0.9, lut=500).plus(stated))
    run = write_run(tmp_path, records, what=TWO)
    for cut in cuts:
        for text in (f"open, cut at {cut}", f"OPEN: yosys 1, cut at {cut}", f"cut at {cut}, yosys"):
            assert find_judge(run, text).name == f"open: yosys 1, cut at {cut} (netlist, xcu250, 5 ns)"
    for text in ("open", "cut at 5", "adders, cut"):
        with pytest.raises(UsageError, match=r'fits several judges; .* such as "open, cut at 5":\n  \w+: '):
            find_judge(run, text)

"""How a sweep stands, in numbers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from build_run import JUDGE, VITIS, build_run, goals, plain_record, write_run

from dse.errors import FAILURE_KINDS
from dse.goals import Limit, Objective
from dse.record import Failure
from dse.summary import best, failures, grades, stage_times, status, work
from dse.view import view

TWO = goals((Objective("accuracy"), Objective("lut")), (Limit("lut", at_most=1000),))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("runs") / "digits")


def test_alike_failures_are_one_row_with_all_their_trials(tmp_path):
    """Stage, kind and message make failures alike, whatever their logs; the log of the first trial is kept."""
    told = [("a", "tool", "no"), ("a", "tool", "no"), ("b", "tool", "no"), ("a", "crash", "no"), ("a", "tool", "never")]
    records = [plain_record(n, failure=Failure(*words, log=f"log {n}")) for n, words in enumerate(told)]
    found = failures(view(write_run(tmp_path, records)))
    assert [(f.failure.stage, f.failure.kind, f.failure.message, f.trials) for f in found] == [
        ("a", "tool", "no", (0, 1)),
        ("b", "tool", "no", (2,)),
        ("a", "tool", "never", (4,)),
        ("a", "crash", "no", (3,)),
    ]
    assert found[0].failure.log == "log 0"


def test_every_failed_trial_is_in_exactly_one_row(run):
    """Nothing that failed is forgotten, and kinds come in their order."""
    found = failures(view(run))
    assert sorted(trial for row in found for trial in row.trials) == sorted(r.trial for r in run.records if r.failure)
    places = [FAILURE_KINDS.index(row.failure.kind) for row in found]
    assert places == sorted(places)


def test_the_best_is_feasible_and_in_the_objectives_direction(tmp_path):
    """An infeasible design is never the best; of equal ones the first trial is named."""
    figures = [(0.8, 500), (0.9, 400), (0.99, 2000), (0.9, 100)]
    records = [plain_record(n, accuracy=a, lut=lut) for n, (a, lut) in enumerate(figures)]
    found = best(view(write_run(tmp_path, records, what=TWO)))
    assert {name: (standing.record.trial, value) for name, (standing, value) in found.items()} == {
        "accuracy": (1, 0.9),
        "lut": (3, 100),
    }
    assert best(view(write_run(tmp_path / "none", [], what=TWO))) == {}


def test_the_best_is_of_the_views_judge(run):
    """Vitis' best LUT figure is Vitis' own."""
    standing, value = best(view(run, "vitis"))["lut"]
    assert value == standing.record.value("lut", VITIS) != standing.record.value("lut", JUDGE)


def test_stage_times_are_totals_and_medians_of_what_took_time(tmp_path):
    """A stage that was answered from the store took 0 s: it counts in the total and not in the median."""
    from dataclasses import replace

    seconds = [{"train": 3.0}, {"train": 0.0, "emulate": 1.0}, {"train": 5.0, "emulate": 0.0}, {"emulate": 0.0}]
    records = [replace(plain_record(n), seconds=row) for n, row in enumerate(seconds)]
    found = stage_times(view(write_run(tmp_path, records)))
    assert {stage: (t.total, t.typical, t.trials) for stage, t in found.items()} == {
        "train": (8.0, 4.0, 2),
        "emulate": (1.0, 1.0, 1),
    }


def test_a_stage_that_never_took_time_has_no_median(run):
    """Training came from the store in every trial here: no median, and not a median of 0."""
    assert stage_times(view(run))["train"].typical is None


def test_designs_are_counted_by_the_grade_of_their_estimate(tmp_path):
    """One figure of grade law makes a design law; one that nothing supports is none; a tool's figures have no grade."""
    records = [plain_record(n, lut=100, dsp=1) for n in range(3)]
    for n, graded in enumerate(({"lut": "calibrated"}, {"lut": "calibrated", "dsp": "law"})):
        found = tuple(replace(m, grades=graded) if m.judge == JUDGE else m for m in records[n].measurements)
        records[n] = replace(records[n], measurements=found)
    refused = [plain_record(3, failure=Failure("synthesize", "unsupported", "layer lstm: no estimate"))]
    refused += [plain_record(4, failure=Failure("check", "invalid", "no"))]
    assert grades(view(write_run(tmp_path / "a", records + refused))) == {"calibrated": 1, "law": 1, "none": 1}
    assert grades(view(write_run(tmp_path / "b", records[2:]))) == {}


def test_the_status_is_json_and_adds_up(run):
    """States sum to the finished trials; the front is the view's; unfinished trials are named."""
    found = json.loads(json.dumps(status(run, view(run)), allow_nan=False))
    assert sum(found["states"].values()) == found["finished"] == 60
    assert found["front"] == [s.record.trial for s in view(run).front]
    assert found["knee"] in found["front"]
    assert [row["trial"] for row in found["running"]] == [60, 61]
    assert found["best"]["dsp"] == {"value": 0, "unit": "blocks", "trial": 11}


def test_work_is_counted_once_by_what_it_was_for(tmp_path):
    """Entries that several designs share, or that others have made, are no work of each of them."""
    shared = {"train": "a" * 64, "compress": "b" * 64}
    records = [replace(plain_record(n), entries={**shared, "foresee": f"{n}" * 64}) for n in range(2)]
    made = [
        {"stage": "train", "key": "a" * 64, "seconds": 5},
        {"stage": "compress", "key": "b" * 64, "seconds": 1},
        {"stage": "foresee", "key": "0" * 64, "seconds": 0.25},
        {"stage": "foresee", "key": "1" * 64, "seconds": 0.5},
        {"stage": "emulate", "key": "f" * 64, "seconds": 100},
    ]
    run = write_run(tmp_path, records)
    assert work(run, made) == {"training": 6.0, "converting": 0.75}
    assert work(run, []) == {}

"""The folder of a sweep, as a reader sees it."""

from __future__ import annotations

import json

import pytest
from build_run import SYNTHESIS, VITIS, build_run, goals, plain_record, write_run
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import designs, failures, measurements, records

from dse import journal
from dse.errors import StoreError, UsageError
from dse.metrics import Measurement
from dse.record import Failure
from dse.run import RECORDS_FILE, STUDY_FILE, Asked, added_row, open_run, replay


def asked(trial):
    return Asked(trial, plain_record(trial).design, {"weight_bits": 8}, "2026-01-01T00:00:00+00:00")


@settings(max_examples=40)
@given(st.lists(records, max_size=4))
def test_the_last_record_of_a_trial_counts(found):
    """A failed trial may be tried again: its later record replaces the earlier one and comes later in order."""
    rows = [json.loads(json.dumps(record.as_json())) for record in found]
    known, begun = replay(rows)
    expected = {record.trial: record for record in found}
    assert known == expected
    last = {record.trial: place for place, record in enumerate(found)}
    assert list(known) == sorted(expected, key=last.__getitem__)
    assert begun == {}


@given(designs, st.integers(0, 99))
def test_a_begun_trial_comes_back_from_its_row(design, trial):
    """Number, design, parameters and time: it is begun again under the same number."""
    before = Asked(trial, design, {"weight_bits": 4, "strategy": "latency"}, "2026-01-01T00:00:00+00:00")
    _, begun = replay([json.loads(json.dumps(before.as_json()))])
    assert begun == {trial: before}


@given(measurements, failures)
def test_figures_found_later_belong_to_their_record(measurement, failure):
    """An `added` row says what `Record.plus` does."""
    record = plain_record(3, lut=1)
    rows = [record.as_json(), added_row(3, (measurement,)), added_row(3, (), failure)]
    known, _ = replay(json.loads(json.dumps(rows)))
    assert known == {3: record.plus([measurement], failure)}


def test_a_record_that_is_made_again_forgets_what_was_added():
    """Figures of the earlier attempt say nothing of the later one."""
    later = added_row(0, (Measurement(SYNTHESIS, {"lut": 7}, VITIS),))
    again = plain_record(0, lut=2)
    known, _ = replay([plain_record(0, lut=1).as_json(), later, again.as_json()])
    assert known == {0: again}


BROKEN = [
    ({"v": 2, "kind": "record"}, r"row of format 2, this dse reads 1\. Use the dse that wrote it"),
    ({"kind": "record"}, "row of format None"),
    ({"v": 1, "kind": "opinion"}, "row of unknown kind 'opinion'"),
    ({"v": 1, "trial": 4}, "row of trial 4 cannot be read: KeyError"),
    ({"v": 1, "kind": "record", "trial": 4}, "record of trial 4 cannot be read"),
    ({"v": 1, "kind": "asked", "trial": 4, "design": []}, "row of trial 4 cannot be read"),
]


@pytest.mark.parametrize(("row", "said"), BROKEN)
def test_a_row_that_makes_no_sense_is_refused(row, said):
    """Nothing is skipped: a record that vanishes would be evaluated twice or counted wrongly."""
    with pytest.raises(StoreError, match=said):
        replay([plain_record(0, lut=1).as_json(), row])


def test_a_folder_is_read_whole(tmp_path):
    """Study, goals, records in order of finish, and what is still running."""
    first = [plain_record(2, lut=1), plain_record(0, lut=2)]
    run = write_run(tmp_path, first, asked=[asked(trial) for trial in (0, 1, 2, 5)])
    assert (run.name, run.goals, run.records) == ("digits", goals(), tuple(first))
    assert [trial.trial for trial in run.running] == [1, 5]
    assert run.record(0) == first[1]
    with pytest.raises(UsageError, match="no record of trial 1; there are 2"):
        run.record(1)


def test_a_run_without_records_is_a_run(tmp_path):
    """Someone may look while the first design is being trained."""
    run = write_run(tmp_path, [])
    (tmp_path / RECORDS_FILE).unlink()
    assert open_run(tmp_path).records == run.records == ()


def test_a_run_can_be_read_while_it_is_written(tmp_path):
    """At whatever byte the writer has got to: never an error, and never more or other rows than were written."""
    run = build_run(tmp_path, 3)
    whole = (tmp_path / RECORDS_FILE).read_bytes()
    for cut in range(0, len(whole), 97):
        (tmp_path / RECORDS_FILE).write_bytes(whole[:cut])
        found = open_run(tmp_path)
        assert [r.trial for r in found.records] == [r.trial for r in run.records][: len(found.records)]


def test_another_folder_is_refused(tmp_path):
    """With the reason and what makes such a folder."""
    with pytest.raises(UsageError, match=r"is not the folder of a sweep: it has no study\.json"):
        open_run(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda study: {**study, "v": 2}, r"study\.json has format 2, this dse reads 1\. Use the dse that wrote it"),
        (lambda study: {"name": study["name"], "goals": study["goals"]}, "cannot be read: KeyError"),
        (lambda study: {**study, "goals": {}}, "cannot be read: KeyError"),
        (lambda study: {**study, "goals": {**study["goals"], "objectives": [{"metric": "luts"}]}}, "metric must be one of"),
        (lambda _: [], "cannot be read: TypeError"),
    ],
)
def test_a_study_file_of_another_form_is_refused(tmp_path, change, said):
    """Versions first: a newer file may mean something else by the same names."""
    write_run(tmp_path, [])
    study = json.loads((tmp_path / STUDY_FILE).read_text())
    (tmp_path / STUDY_FILE).write_text(json.dumps(change(study)))
    with pytest.raises(StoreError, match=said):
        open_run(tmp_path)


def test_a_torn_study_file_is_refused(tmp_path):
    """It is written whole or not at all, so half of one is damage."""
    write_run(tmp_path, [])
    (tmp_path / STUDY_FILE).write_text('{"v": 1, ')
    with pytest.raises(StoreError, match="Restore it, or remove the folder and sweep again"):
        open_run(tmp_path)


def test_a_damaged_line_in_the_middle_is_refused(tmp_path):
    """The file, the line and what to do."""
    write_run(tmp_path, [plain_record(0, lut=1), plain_record(1, lut=1)])
    path = tmp_path / RECORDS_FILE
    path.write_bytes(b'{"v":1,' + path.read_bytes()[9:])
    with pytest.raises(StoreError, match=r"records\.jsonl: line 1 is damaged"):
        open_run(tmp_path)


def test_a_failure_that_the_front_check_finds_is_kept(tmp_path):
    """It comes as an added row and makes the record a failed one."""
    write_run(tmp_path, [plain_record(0, lut=1)])
    journal.append(tmp_path / RECORDS_FILE, [added_row(0, (), Failure("verify", "mismatch", "0 % of the rows"))])
    failure = open_run(tmp_path).record(0).failure
    assert failure is not None
    assert (failure.stage, failure.kind) == ("verify", "mismatch")


def test_what_was_added_to_a_record_whose_line_was_removed_is_passed_over():
    """A damaged line may be removed, as its message says: that trial is begun again, and the rest is still read."""
    records, asked = replay([added_row(9, ())])
    assert (records, asked) == ({}, {})

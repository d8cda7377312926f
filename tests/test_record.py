"""Records: what is known of a design, one JSON line each way."""

from __future__ import annotations

import json

import pytest
from build_run import EMULATION, JUDGE, SYNTHESIS, VITIS, plain_record
from hypothesis import given, settings
from strategies import failures, measurements, records

from dse.errors import FAILURE_KINDS, PASSING, StoreError
from dse.metrics import Measurement
from dse.record import FORMAT, Failure, Record


@given(records)
def test_a_record_comes_back_from_its_line(record):
    """Nothing is lost on the way to the disk and back; times are kept to a tenth of a millisecond."""
    line = json.dumps(record.as_json(), allow_nan=False)
    assert "\n" not in line
    assert Record.from_json(json.loads(line)) == record


@given(records)
def test_a_line_can_be_read_without_this_program(record):
    """Digest and flat knobs stand beside the design, for whoever reads the file with other tools."""
    found = record.as_json()
    assert (found["digest"], found["knobs"]) == (record.design.digest, record.design.knobs)
    assert (found["v"], found["kind"]) == (FORMAT, "record")


@pytest.mark.parametrize("version", [FORMAT + 1, 0, "1", None])
def test_a_record_of_another_version_is_refused(version):
    """A newer dse may mean something else by the same names."""
    with pytest.raises(StoreError, match=r"record of format .*; this version of dse reads 1\. Use the dse that wrote it"):
        Record.from_json({**plain_record(0, lut=1).as_json(), "v": version})


@pytest.mark.parametrize("name", sorted(set(plain_record(0).as_json()) - {"v", "kind", "digest", "knobs"}))
def test_a_record_without_one_of_its_parts_is_refused(name):
    """No default stands in; the message names the trial and the part."""
    found = plain_record(7, lut=1).as_json()
    del found[name]
    with pytest.raises(StoreError, match=f"record of trial {'None' if name == 'trial' else 7} cannot be read.*{name}"):
        Record.from_json(found)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, "many"])
def test_a_record_with_a_figure_that_is_no_number_is_refused(value):
    """Python's json reads NaN; a record does not."""
    found = plain_record(3, lut=1).as_json()
    found["measurements"][0]["values"]["lut"] = value
    with pytest.raises(StoreError, match=r"record of trial 3 cannot be read.*lut must be a finite number"):
        Record.from_json(json.loads(json.dumps(found)))


def test_a_figure_is_the_last_one_that_was_stated():
    """Figures found later go before earlier ones; each judge has its own; those without a judge are everybody's."""
    record = plain_record(0, accuracy=0.9, lut=100).plus([Measurement(SYNTHESIS, {"lut": 60, "dsp": 0}, VITIS)])
    assert record.value("lut", JUDGE) == 100
    assert record.value("lut", VITIS) == 60
    assert record.value("lut") == 60
    assert record.value("accuracy", VITIS) == 0.9
    again = record.plus([Measurement(SYNTHESIS, {"lut": 110}, JUDGE)])
    assert (again.value("lut", JUDGE), again.value("lut", VITIS)) == (110, 60)
    assert again.judges == (JUDGE, VITIS)


def test_what_nobody_stated_is_none_and_zero_is_a_figure():
    """A missing figure must never look like the best there is."""
    record = plain_record(0, dsp=0)
    assert record.value("dsp", JUDGE) == 0
    assert record.value("dsp", JUDGE) is not None
    assert record.value("lut", JUDGE) is None
    assert record.value("dsp", VITIS) is None


@settings(max_examples=40)
@given(records, failures, measurements)
def test_what_is_found_later_adds_and_never_takes_away(record, failure, measurement):
    """The earlier measurements stay; a failure stays unless a newer one replaces it."""
    assert record.plus([measurement]).measurements == (*record.measurements, measurement)
    assert record.plus([measurement]).failure == record.failure
    assert record.plus(failure=failure).failure == failure
    assert record.plus() == record


@pytest.mark.parametrize("kind", FAILURE_KINDS)
def test_a_failure_knows_whose_fault_it_is(kind):
    """Passing ones are the machine's and are tried again."""
    assert Failure("emulate", kind, "").passing == (kind in PASSING)


def test_an_unknown_failure_is_refused():
    """Nobody would know whether to try again."""
    with pytest.raises(ValueError, match=r"kind must be one of .*, got 'oops'"):
        Failure("emulate", "oops", "")
    found = {**plain_record(5).as_json(), "failure": {"stage": "emulate", "kind": "oops", "message": ""}}
    with pytest.raises(StoreError, match=r"record of trial 5 cannot be read.*oops"):
        Record.from_json(found)


def test_a_measurement_without_a_judge_names_none():
    """Accuracy has a source and no judge: it depends on no tool."""
    assert Record(0, plain_record(0).design, measurements=(Measurement(EMULATION, {"accuracy": 1}),)).judges == ()

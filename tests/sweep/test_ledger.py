"""The records of one sweep, as its runner keeps them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from build_run import SYNTHESIS, VITIS, plain_record
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import DseError, StoreError
from dse.journal import only_runner
from dse.metrics import Measurement
from dse.record import Failure
from dse.run import RECORDS_FILE, STUDY_FILE
from dse.sweep.ledger import Ledger, differences, write_study


def design(trial):
    return plain_record(trial).design


def same(one, other):
    return (one.records, one.asked, one.pending, one.next_trial) == (
        other.records, other.asked, other.pending, other.next_trial,
    )  # fmt: skip


def test_a_new_ledger_is_empty(tmp_path):
    """The first trial is number 0."""
    ledger = Ledger(tmp_path)
    assert (ledger.records, ledger.asked, ledger.pending, ledger.next_trial) == ({}, {}, [], 0)
    assert list(tmp_path.iterdir()) == []


steps = st.lists(st.tuples(st.sampled_from(["ask", "finish", "add", "fail"]), st.integers(0, 5)), max_size=12)


@settings(max_examples=30)
@given(steps)
def test_what_is_in_memory_is_on_the_disk(tmp_path_factory, found):
    """After every step another reader sees the same records, pending trials and next number."""
    folder = tmp_path_factory.mktemp("sweep")
    ledger = Ledger(folder)
    for step, trial in found:
        if step == "ask":
            ledger.ask((trial, design(trial), {"weight_bits": 8}))
        elif step == "finish":
            ledger.finish(plain_record(trial, lut=trial))
        elif trial in ledger.records:
            failure = Failure("verify", "mismatch", "no") if step == "fail" else None
            later = ledger.add(trial, (Measurement(SYNTHESIS, {"lut": 7}, VITIS),), failure)
            assert later == ledger.records[trial]
        assert same(ledger, Ledger(folder))


@settings(max_examples=30)
@given(steps)
def test_pending_trials_are_those_without_a_record(tmp_path_factory, found):
    """In order of their numbers; the next number is one that no trial has, begun or finished."""
    ledger = Ledger(tmp_path_factory.mktemp("sweep"))
    for step, trial in found:
        if step == "ask":
            ledger.ask((trial, design(trial), {}))
        else:
            ledger.finish(plain_record(trial))
    begun = {trial for step, trial in found if step == "ask"}
    finished = {trial for step, trial in found if step != "ask"}
    assert [asked.trial for asked in ledger.pending] == sorted(begun - finished)
    assert all(asked.design == design(asked.trial) for asked in ledger.pending)
    assert ledger.next_trial == max(begun | finished, default=-1) + 1


def test_a_trial_says_when_it_was_begun(tmp_path):
    """In UTC, so that two machines agree."""
    (asked,) = Ledger(tmp_path).ask((0, design(0), {}))
    assert datetime.now(UTC) - datetime.fromisoformat(asked.time) < timedelta(minutes=10)


def test_a_ledger_goes_on_after_a_torn_line(tmp_path):
    """The trial of the torn record is pending again and ends with one record."""
    ledger = Ledger(tmp_path)
    for trial in range(2):
        ledger.ask((trial, design(trial), {}))
    ledger.finish(plain_record(0, lut=0))
    ledger.finish(plain_record(1, lut=1))
    path = tmp_path / RECORDS_FILE
    path.write_bytes(path.read_bytes()[:-20])
    again = Ledger(tmp_path)
    assert [asked.trial for asked in again.pending] == [1]
    again.finish(plain_record(1, lut=5))
    kinds = [(row["kind"], row["trial"]) for row in map(json.loads, path.read_text().splitlines())]
    assert kinds == [("asked", 0), ("asked", 1), ("record", 0), ("record", 1)]
    assert Ledger(tmp_path).records[1].value("lut") == 5


def test_a_damaged_ledger_is_refused(tmp_path):
    """Before anything is added to it."""
    (tmp_path / RECORDS_FILE).write_text('{"v": 1\n{}\n')
    with pytest.raises(StoreError, match="line 1 is damaged"):
        Ledger(tmp_path)


def test_a_record_that_cannot_be_written_is_not_in_memory_either(tmp_path, monkeypatch):
    """A full disk stops the sweep with the reason; the trial is not taken for finished."""
    ledger = Ledger(tmp_path)
    ledger.ask((0, design(0), {}))

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(DseError, match=r"records\.jsonl: No space left on device\. Mend that; the same command"):
            ledger.finish(plain_record(0, lut=1))
    assert [asked.trial for asked in ledger.pending] == [0]


def test_the_study_is_kept_whole_or_not_at_all(tmp_path, monkeypatch):
    """A writer that dies leaves the study as it was."""
    write_study(tmp_path, {"v": 1, "name": "old"})

    def died(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", died)
        with pytest.raises(KeyboardInterrupt):
            write_study(tmp_path, {"v": 1, "name": "new"})
    assert json.loads((tmp_path / STUDY_FILE).read_text())["name"] == "old"
    write_study(tmp_path, {"v": 1, "name": "new"})
    assert json.loads((tmp_path / STUDY_FILE).read_text())["name"] == "new"


BEFORE = {"space": {"weight_bits": [3, 4], "strategy": ["latency"]}, "clock_ns": 5.0, "data": "ab"}


@pytest.mark.parametrize(
    ("now", "lines"),
    [
        (BEFORE, []),
        ({**BEFORE, "clock_ns": 5}, []),
        ({**BEFORE, "space": {"strategy": ("latency",), "weight_bits": (3, 4)}}, []),
        ({**BEFORE, "calibration": None}, []),
        ({**BEFORE, "clock_ns": 4.0}, ["clock_ns: 5.0 -> 4.0"]),
        (
            {"space": {"weight_bits": [3, 4, 5], "io_type": ["io_stream"]}, "clock_ns": 5.0, "data": "cd"},
            [
                "space.weight_bits: [3, 4] -> [3, 4, 5]",
                'space.strategy: ["latency"] -> null',
                'space.io_type: null -> ["io_stream"]',
                'data: "ab" -> "cd"',
            ],
        ),
        ({**BEFORE, "space": None}, ['space: {"weight_bits": [3, 4], "strategy": ["latency"]} -> null']),
        ({**BEFORE, "data": "x" * 200}, [f'data: "ab" -> "{"x" * 65} ...']),
    ],
)
def test_differences_of_two_studies_are_named(now, lines):
    """One line each, by its full name; tuples are lists and what is null is not there; long values are cut."""
    assert differences(BEFORE, now) == lines
    assert len(differences(now, BEFORE)) == len(lines)


plain = st.recursive(
    st.integers(0, 2) | st.text("ab", max_size=1),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", min_size=1, max_size=1), inner, max_size=2),
)


@given(plain, plain)
def test_values_are_different_where_differences_are_found(one, other):
    """Nothing differs without a line, and no line is without a difference; what a file gives back is no difference."""
    empty = ({}, [])
    if one not in empty and other not in empty:
        assert bool(differences({"at": one}, {"at": other})) == (one != other)
    assert differences({"at": one}, json.loads(json.dumps({"at": one}))) == []


# Real processes: each holds the sweep's lock until its input ends, and says so.
RUNNER = """
import sys
from pathlib import Path
from dse.errors import DseError
from dse.journal import only_runner
try:
    with only_runner(Path(sys.argv[1]), "run"):
        print("runs", flush=True)
        sys.stdin.read()
except DseError as error:
    print(error, flush=True)
"""


def runner(folder):
    words = [sys.executable, "-c", RUNNER, str(folder)]
    found = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert found.stdout is not None
    return found, found.stdout.readline().strip()


def test_a_second_runner_is_refused_politely(tmp_path):
    """It is told who is sweeping and what to do; another folder is free; so is this one when the first has ended."""
    (tmp_path / "other").mkdir()
    first, said = runner(tmp_path)
    assert said == "runs"
    second, refused = runner(tmp_path)
    node = os.uname().nodename
    assert refused == (f"{tmp_path} is in use by `dse run`, process {first.pid} on {node}. Wait for it, or end it with Ctrl-C.")
    elsewhere, said = runner(tmp_path / "other")
    assert said == "runs"
    first.communicate(timeout=300)
    third, said = runner(tmp_path)
    assert said == "runs"
    for process in (second, elsewhere, third):
        process.communicate(timeout=300)


def test_a_killed_runner_keeps_nobody_out(tmp_path):
    """The lock goes with the process, whatever ended it."""
    first, _ = runner(tmp_path)
    first.send_signal(signal.SIGKILL)
    first.communicate(timeout=300)
    second, said = runner(tmp_path)
    assert said == "runs"
    second.communicate(timeout=300)


def test_a_tool_that_outlives_its_runner_keeps_nobody_out(tmp_path):
    """The lock is not inherited by the programs that a runner starts."""
    with only_runner(tmp_path, "run"):
        tool = subprocess.Popen(["sleep", "60"])
    try:
        second, said = runner(tmp_path)
        assert said == "runs"
        second.communicate(timeout=300)
    finally:
        tool.kill()
        tool.wait()


def test_a_file_system_without_locks_is_refused_with_the_reason(tmp_path, monkeypatch):
    """Two runners could not be told apart there."""

    def no_locks(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", no_locks)
    told = r"this file system cannot lock \(Operation not supported\)"
    with pytest.raises(DseError, match=told), only_runner(tmp_path, "run"):
        pass

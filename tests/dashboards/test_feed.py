"""A run is followed while it grows, whatever happens to its file, and never touched."""

from __future__ import annotations

import fcntl
import json
import os
import random
import time

import numpy as np
import pytest
from build_run import JUDGE, LIMITS, PART, build_run, parameters_of, plain_record, record_of, write_run

from dashboards.columns import gather
from dashboards.feed import Feed
from dashboards.pace import held, remaining_s
from dse import journal
from dse.design import build
from dse.errors import StoreError, UsageError
from dse.metrics import Judge
from dse.record import Failure, Refusal
from dse.run import RECORDS_FILE, STUDY_FILE, Asked, added_row, open_run, refused_row

HOSTILE = "</script><script>alert(1)</script>"


def records(count, seed=0):
    draw = random.Random(seed)
    return [record_of(n, parameters_of(draw), draw, LIMITS) for n in range(count)]


@pytest.fixture
def folder(tmp_path):
    write_run(tmp_path / "digits", records(12))
    return tmp_path / "digits"


def grow(folder, *rows):
    journal.append(folder / RECORDS_FILE, rows)


def same(feed):
    """Whether the feed holds exactly what reading the folder at once gives."""
    feed.refresh()
    run = open_run(feed.folder)
    grown, whole = feed.columns(JUDGE), gather(JUDGE, run.records)
    assert grown.trials.tolist() == whole.trials.tolist()
    for name in whole.figures:
        np.testing.assert_array_equal(grown.figure(name), whole.figure(name))
    assert [feed.record(record.trial) for record in run.records] == list(run.records)
    return True


def test_what_is_added_is_read_and_nothing_twice(folder):
    """New records, figures of another judge, a refusal, a second word on a trial; equal to reading all at once each time."""
    feed = Feed(folder)
    first = feed.refresh()
    assert first.finished == 12
    assert feed.refresh().version == first.version  # nothing new
    extra = records(14, seed=5)
    vitis = Judge("vitis", "Vitis HLS", "2023.2", "hls", PART, 5.0)
    refusal = Refusal(vitis, Failure("synthesize", "tool", "no"), "ab")
    grow(folder, extra[12].as_json())
    assert same(feed)
    grow(folder, added_row(3, [], Failure("verify", "mismatch", "differs")), refused_row(0, refusal))
    assert same(feed)
    assert vitis in feed.refresh().judges
    grow(folder, extra[4].as_json(), extra[13].as_json(), added_row(999, []))
    assert same(feed)
    assert feed.refresh().finished == 14


def test_a_torn_last_line_waits_for_its_end(folder):
    """Half a record is no trouble; when the rest comes, it counts, once."""
    feed = Feed(folder)
    line = (json.dumps(plain_record(50, accuracy=0.95, lut=10).as_json()) + "\n").encode()
    for start, end in ((0, 40), (40, len(line))):
        with (folder / RECORDS_FILE).open("ab") as file:
            file.write(line[start:end])
        found = feed.refresh()
        assert found.trouble == ()
        assert found.finished == (12 if end == 40 else 13)
    assert same(feed)


def test_a_torn_line_that_is_cut_off_by_the_next_runner_does_no_harm(folder):
    """As `journal.append` mends a file that a killed sweep has left."""
    feed = Feed(folder)
    with (folder / RECORDS_FILE).open("ab") as file:
        file.write(b'{"v": 1, "kind": "rec')
    feed.refresh()
    grow(folder, plain_record(50, accuracy=0.95, lut=10).as_json())
    assert same(feed)


@pytest.mark.parametrize("how", ["replaced", "cut", "in place", "gone"])
def test_another_file_in_its_place_is_read_anew(folder, how):
    """A restored, shortened, edited or removed file: what is shown is what is there."""
    feed = Feed(folder)
    feed.refresh()
    path = folder / RECORDS_FILE
    lines = path.read_bytes().splitlines(keepends=True)
    if how == "replaced":
        other = folder / "other"
        other.write_bytes(b"".join(lines[3:] + [json.dumps(r.as_json()).encode() + b"\n" for r in records(20, 2)[12:]]))
        other.replace(path)
    elif how == "cut":
        with path.open("r+b") as file:
            file.truncate(sum(map(len, lines[:5])))
    elif how == "in place":
        path.write_bytes(b"".join(reversed(lines)) + lines[0])
    else:
        path.unlink()
        assert feed.refresh().finished == 0
        assert feed.record(3) is None
        return
    assert same(feed)


def test_begun_trials_are_running_until_they_have_a_record(folder):
    """With the knobs they were begun with."""
    feed = Feed(folder)
    design = build({"weight_bits": 3, "activation_bits": 4})
    grow(folder, Asked(77, design, {}, "2026-05-04T11:00:00+00:00").as_json())
    assert [asked.design for asked in feed.refresh().running] == [design]
    grow(folder, plain_record(77, accuracy=0.9).as_json())
    assert feed.refresh().running == ()


def broken(**changes):
    row = plain_record(60, accuracy=0.95, lut=10).as_json()
    for name, value in changes.items():
        if value is KeyError:
            del row[name]
        else:
            row[name] = value
    return json.dumps(row)


BAD = {
    "no JSON": "{",
    "no object": "[1]",
    "NaN": broken(seconds={"train": float("nan")}),
    "infinite": broken().replace("0.95", "1e999"),
    "infinite seconds": broken(seconds={}).replace('"seconds": {}', '"seconds": {"train": 1e999}'),
    "words for seconds": broken(seconds={"train": "long"}),
    "missing column": broken(measurements=KeyError),
    "other version": broken(v=99),
    "unknown kind": broken(kind="poem"),
    "unknown metric": broken().replace('"lut"', '"beauty"'),
    "no number": broken(trial="x"),
    "huge number": broken(trial=10**30),
    "list as knob": broken(design={**plain_record(60).as_json()["design"], "architecture": {"a": [1]}}),
    "kind of failure": broken(failure={"stage": "a", "kind": HOSTILE, "message": "", "log": ""}),
    "deep": "[" * 200_000,
}


@pytest.mark.parametrize("line", BAD.values(), ids=BAD)
def test_a_line_that_cannot_be_read_is_told_of_and_the_rest_is_shown(folder, line):
    """Counted, named by its number, and nothing of it is taken."""
    feed = Feed(folder)
    before = feed.refresh()
    with (folder / RECORDS_FILE).open("a") as file:
        file.write(line + "\n")
    grow(folder, plain_record(61, accuracy=0.95, lut=10).as_json())
    found = feed.refresh()
    assert found.lost == 1
    assert found.trouble[0].startswith("line 13: ")
    assert found.finished == before.finished + 1
    assert 61 in feed.columns(JUDGE).trials
    assert 60 not in feed.columns(JUDGE).trials


def test_a_file_of_nothing_but_rubbish_is_told_of_briefly(folder):
    """Bytes that are no text, a thousand times."""
    (folder / RECORDS_FILE).write_bytes(b"\xff\xfe\x00rubbish\n" * 1000)
    found = Feed(folder).refresh()
    assert (found.finished, found.lost, len(found.trouble)) == (0, 1000, 3)


def test_a_folder_that_is_no_sweep_or_of_another_version_is_refused(tmp_path):
    """As by every other verb."""
    with pytest.raises(UsageError, match=r"no study\.json"):
        Feed(tmp_path)
    (tmp_path / "study.json").write_text('{"v": 99}')
    with pytest.raises(StoreError, match="format 99"):
        Feed(tmp_path)


def test_nothing_is_written_or_locked(folder):
    """The folder is the same afterwards, and a sweep can lock it while it is read."""
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    feed = Feed(folder)
    feed.refresh()
    feed.record(3)
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == before


def test_a_run_goes_on_while_its_lock_is_held(folder):
    """Told by the kernel's table, without trying the lock: the holder keeps it."""
    feed = Feed(folder)
    assert not feed.refresh().going_on
    with journal.only_runner(folder, "run"):
        assert feed.refresh().going_on
        assert held(folder / "runner.lock")
        with (folder / "runner.lock").open("a") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert not feed.refresh().going_on


def test_the_end_is_foretold_by_the_pace_of_the_last_trials(tmp_path):
    """One trial a second: 30 finished of 40 take 10 s more, less what has passed of the one under way."""
    build_run(tmp_path / "digits", 30)
    feed = Feed(tmp_path / "digits")
    feed.refresh()
    columns = feed.columns(JUDGE)
    last = float(np.nanmax(columns.finished))
    assert remaining_s(columns, 40, now=last) == pytest.approx(10.0)
    assert remaining_s(columns, 40, now=last + 0.5) == pytest.approx(9.5)
    assert remaining_s(columns, 30, now=last) is None


def test_a_break_between_two_starts_is_no_slow_trial(tmp_path):
    """Only trials finished since the runner took the folder tell its pace; three are needed, and the lock's file says when."""
    folder = build_run(tmp_path / "digits", 30).folder
    feed = Feed(folder)
    assert feed.refresh().begun == 0.0
    columns = feed.columns(JUDGE)
    last = float(np.nanmax(columns.finished))
    columns.finished[:25] -= 36_000.0
    assert remaining_s(columns, 40, now=last) > 10_000
    assert remaining_s(columns, 40, last - 4.5, now=last) == pytest.approx(10.0)
    assert remaining_s(columns, 40, last - 1.5, now=last) is None
    before = time.time() - 1
    with journal.only_runner(folder, "run"):
        assert before < feed.refresh().begun <= time.time() + 1


def test_a_hundred_small_looks_equal_one(tmp_path):
    """Bytes in random pieces, looked at after each."""
    whole = build_run(tmp_path / "whole", 40)
    text = (whole.folder / RECORDS_FILE).read_bytes()
    folder = tmp_path / "piecewise"
    write_run(folder, [])
    feed, draw, at = Feed(folder), random.Random(1), 0
    while at < len(text):
        end = min(at + draw.randrange(1, 3000), len(text))
        with (folder / RECORDS_FILE).open("ab") as file:
            file.write(text[at:end])
            os.fsync(file.fileno())
        feed.refresh()
        at = end
    assert same(feed)


def test_a_study_that_was_asked_for_more_is_read_again(tmp_path):
    """`dse run --trials` of a sweep that a page is open on; a file that is damaged meanwhile is left for later."""
    folder = build_run(tmp_path, 12).folder
    feed = Feed(folder)
    assert "trials" not in feed.run.study
    before = feed.refresh()
    path = folder / STUDY_FILE
    study = json.loads(path.read_text())
    for draft in ("{", json.dumps(study | {"trials": 60})):
        (folder / "draft").write_text(draft)
        (folder / "draft").replace(path)
        after = feed.refresh()
    assert feed.run.study["trials"] == 60
    assert after.finished == before.finished == 12
    assert after.version > before.version
    study["goals"]["limits"] = []
    path.write_text(json.dumps(study))
    assert feed.refresh().finished == 12
    assert feed.run.goals.limits == ()

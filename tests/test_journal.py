"""The append-only file of records: what a killed writer can do to it, and what it cannot."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import StoreError
from dse.journal import append, read

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
batches = st.lists(st.lists(st.dictionaries(st.text(), values, max_size=3), max_size=3), max_size=4)


@settings(max_examples=50)
@given(batches)
def test_rows_come_back_in_the_order_of_writing(tmp_path_factory, found):
    """Whatever text they hold: line ends and all of Unicode too."""
    path = tmp_path_factory.mktemp("journal") / "rows.jsonl"
    for rows in found:
        append(path, rows)
    assert read(path) == [row for rows in found for row in rows]


def test_a_file_that_is_not_there_has_no_rows(tmp_path):
    """A sweep that has just begun."""
    assert read(tmp_path / "rows.jsonl") == []


ROWS = [{"trial": n, "text": "ä\n" * n} for n in range(4)]


def test_a_torn_last_line_is_ignored_and_cut_off_by_the_next_append(tmp_path):
    """At every byte where a writer may have been killed: whole rows stay, half of one goes, the next row follows."""
    path = tmp_path / "rows.jsonl"
    append(path, ROWS)
    whole = path.read_bytes()
    ends = [0, *(at + 1 for at, byte in enumerate(whole) if byte == 10)]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        kept = sum(end <= cut for end in ends) - 1
        assert read(path) == ROWS[:kept]
        append(path, [{"next": True}])
        assert read(path) == [*ROWS[:kept], {"next": True}]
        assert path.read_bytes().startswith(whole[: ends[kept]])


@pytest.mark.parametrize("length", [1, 65535, 65536, 65537, 200_000])
def test_a_long_torn_line_is_cut_off_too(tmp_path, length):
    """Records with long logs: the last newline may lie far back."""
    path = tmp_path / "rows.jsonl"
    append(path, ROWS)
    path.write_bytes(path.read_bytes() + b"x" * length)
    append(path, [{"next": True}])
    assert read(path) == [*ROWS, {"next": True}]
    path.write_bytes(b"x" * length)
    append(path, [{"next": True}])
    assert read(path) == [{"next": True}]


@pytest.mark.parametrize("damage", [b'{"trial": 1, "te', b"", b"\x00\x00\x00", b"[1, 2]", b"7", b"\xff\xfe", b"{} {}"])
def test_a_damaged_line_in_the_middle_is_refused(tmp_path, damage):
    """Nothing that this program does leaves one there; skipping it would lose a trial without a word."""
    path = tmp_path / "rows.jsonl"
    append(path, ROWS)
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], damage, *lines[2:]]))
    with pytest.raises(StoreError, match=r"rows\.jsonl: line 2 is damaged .*Restore the file, or remove that line"):
        read(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_nan_and_infinity_are_refused_and_nothing_is_written(tmp_path, value):
    """They are no JSON; the rows of the same call do not go in alone."""
    path = tmp_path / "rows.jsonl"
    append(path, ROWS)
    with pytest.raises(ValueError, match="Out of range float"):
        append(path, [{"fine": 1}, {"lut": value}])
    assert read(path) == ROWS


def test_a_row_is_on_the_disk_when_append_returns(tmp_path, monkeypatch):
    """The system is told to write before the caller is told that it is written."""
    path, seen = tmp_path / "rows.jsonl", []

    def fsync(descriptor):
        assert os.path.samestat(os.fstat(descriptor), path.stat())
        seen.append(path.read_bytes())

    monkeypatch.setattr("dse.journal.os.fsync", fsync)
    append(path, [{"a": 1}])
    append(path, [{"b": 2}])
    assert seen == [b'{"a":1}\n', b'{"a":1}\n{"b":2}\n']


WRITER = """
import sys
from pathlib import Path
from dse.journal import append, read
path = Path(sys.argv[1])
n = len(read(path))
while True:
    append(path, [{"n": n, "text": "x" * (n * 7919 % 20000)}])
    print(n, flush=True)
    n += 1
"""


def test_a_writer_that_is_killed_again_and_again_loses_nothing_that_it_said_was_written(tmp_path):
    """Real processes, SIGKILL at random moments: every row that was reported is there, once, in order, and one more at most."""
    path, pick = tmp_path / "rows.jsonl", random.Random(1)
    for _ in range(12):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            said = [int(writer.stdout.readline()) for _ in range(pick.randint(1, 25))]
            writer.send_signal(signal.SIGKILL)
            said += [int(line) for line in writer.stdout.read().splitlines()]
        rows = read(path)
        assert [row["n"] for row in rows] == list(range(len(rows)))
        assert len(rows) in (said[-1] + 1, said[-1] + 2)


def test_the_file_is_one_json_object_per_line(tmp_path):
    """Other programs may read it line by line."""
    path = tmp_path / "rows.jsonl"
    append(path, ROWS)
    lines = path.read_text().splitlines()
    assert [json.loads(line) for line in lines] == ROWS

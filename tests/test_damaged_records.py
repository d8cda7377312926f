"""Readers refuse damaged records with the place and what to do; they never show a made-up figure."""

from __future__ import annotations

import json

import pytest
from build_run import build_run, plain_record, write_run

from dse.errors import StoreError
from dse.run import RECORDS_FILE, STUDY_FILE, open_run


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_line_with_a_number_that_is_none_is_refused(tmp_path, word):
    """Python's JSON reader takes NaN for a number; a records file never holds one."""
    write_run(tmp_path, [plain_record(0, accuracy=0.5)])
    path = tmp_path / RECORDS_FILE
    path.write_text(path.read_text().replace('"weight_bits":8', f'"weight_bits":{word}'))
    with pytest.raises(StoreError, match=rf"records\.jsonl: line 1 is damaged \({word} is not a number\)"):
        open_run(tmp_path)


def test_a_damaged_line_in_the_middle_is_named(tmp_path):
    """The file, the line and two ways out."""
    build_run(tmp_path, trials=5)
    path = tmp_path / RECORDS_FILE
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:2], lines[2][:40] + "\n", *lines[3:]]))
    with pytest.raises(StoreError, match=r"line 3 is damaged.*remove that line"):
        open_run(tmp_path)


def test_a_torn_last_line_costs_nothing_else(tmp_path):
    """A record that is being written while somebody looks is simply not there yet."""
    before = build_run(tmp_path, trials=5)
    with (tmp_path / RECORDS_FILE).open("a") as file:
        file.write('{"v":1,"kind":"record","trial":5,"des')
    assert open_run(tmp_path).records == before.records


def test_another_format_is_refused(tmp_path):
    """Records of a later version are not read as if they were of this one."""
    write_run(tmp_path, [plain_record(0)])
    path = tmp_path / RECORDS_FILE
    path.write_text(path.read_text().replace('"v":1', '"v":99'))
    with pytest.raises(StoreError, match="format 99"):
        open_run(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps({"name": "x", "goals": {}})])
def test_a_damaged_study_is_named(tmp_path, text):
    """The file that cannot be read, and what to do."""
    write_run(tmp_path, [])
    (tmp_path / STUDY_FILE).write_text(text)
    with pytest.raises(StoreError, match=r"study\.json cannot be read"):
        open_run(tmp_path)

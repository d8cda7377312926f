"""`dse new`: every kind of study file can be read, is legal and runs as it stands; nothing is written over."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from dse.cli import main
from dse.cli.new import PLACEHOLDER, Kind
from dse.run import open_run
from dse.studyfile import load
from dse.workload import split
from tests.resolve import resolved

KINDS = get_args(Kind)
TEMPLATES = Path(__file__).parents[2] / "dse" / "templates"


def new(*words):
    """The exit code of `dse new` with these words."""
    with pytest.raises(SystemExit) as caught:
        main(["new", *map(str, words)])
    return caught.value.code


def test_each_kind_has_its_template():
    assert {path.stem for path in TEMPLATES.glob("*.py")} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_study_is_a_study_of_its_name_with_data_of_its_own(tmp_path, kind):
    """It can be read, its data can be split, and nothing is left of the template's own name."""
    assert new(tmp_path / "tagger-2.py", "--kind", kind) == 0
    study = load(tmp_path / "tagger-2.py")
    assert study.name == "tagger-2"
    assert PLACEHOLDER not in (tmp_path / "tagger-2.py").read_text()
    assert len(split(study.workload.data(), study.workload.split_seed).validation.x) > 50


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "trained"])
def test_a_new_studys_space_fits_its_model_and_its_first_designs_are_legal(tmp_path, kind):
    """For every architecture; the limits and objectives were checked when the study was made."""
    new(tmp_path / "mine", "--kind", kind)
    study = load(tmp_path / "mine.py")
    assert resolved(study).size > 100
    assert study.first or kind in ("regression", "trees")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_study_runs_as_it_stands(tmp_path, kind):
    """Two designs and their front, in processes of their own, as a user types it."""
    command = [sys.executable, "-c", "from dse.cli import main; main()"]
    more = [[sys.executable, "mine.py"]] if kind == "trained" else []
    for words in ([*command, "new", "mine", "--kind", kind], *more, [*command, "run", "mine.py", "--trials", "2"]):
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    records = open_run(tmp_path / "runs" / "mine").records
    assert [record.failure for record in records] == [None, None]
    assert any(record.value("agreement") == 1 for record in records)


def test_a_file_that_is_there_is_not_written_over(capsys, tmp_path):
    """Wrong usage, and the file is as it was."""
    (tmp_path / "mine.py").write_text("mine")
    assert new(tmp_path / "mine") == 2
    assert (tmp_path / "mine.py").read_text() == "mine"
    assert "mine.py is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("3jets", "begin with a letter, got '3jets'"),
        ("my study", "got 'my study'"),
        ("mine.keras", "got 'mine.keras'"),
        ("store", "its folder would be the store's"),
        ("json", "would hide the module json"),
        ("no/mine", "Choose a folder that is there"),
    ],
)
def test_a_name_that_could_not_be_used_is_refused(capsys, tmp_path, name, words):
    """Wrong usage that says why; nothing is written."""
    assert new(tmp_path / name) == 2
    assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

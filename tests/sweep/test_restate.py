"""A study whose estimate has learned: its records are estimated again, and two judges never meet on one front."""

import shutil
from dataclasses import replace

import pytest

from dse import Choice, Estimate, Options, explore
from dse.errors import UsageError
from dse.run import open_run
from dse.synth.estimate.calibration import Calibration, Correction
from dse.view import view
from tests.tiny import STUDY

SPACE = replace(STUDY.space, weight_bits=5, activation_bits=5, sparsity=0.0, reuse_factor=Choice(1, 2, 4), strategy="latency")
QUICK = replace(STUDY, space=SPACE, trials=2)
#: Twice the estimate, wherever it lies.
DOUBLED = Correction("lut", 0.6931471805599453, 1.0, 0.1, 0.0, 1e9, 10)
LEARNED = Estimate(calibration=Calibration("Vitis HLS", "2023.2", "hls", STUDY.target.name, (DOUBLED,)))


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """The root of a sweep of two designs."""
    root = tmp_path_factory.mktemp("root")
    explore(QUICK, Options(root=root, quiet=True, jobs=1))
    return root


@pytest.fixture
def root(swept, tmp_path):
    """A copy of that root, to be spoilt."""
    return shutil.copytree(swept, tmp_path / "root")


def test_records_are_estimated_again_before_the_next_design_is_asked_for(root):
    """Old and new designs stand on one front, of the new judge; the figures before are kept as another's."""
    before = open_run(root / "tiny")
    after = explore(replace(QUICK, synthesizer=LEARNED, trials=3), Options(root=root, quiet=True, jobs=1)).run
    judge = LEARNED.judge(STUDY.target.name, 5.0)
    assert after.goals.judge == judge != before.goals.judge
    assert len(after.records) == 3
    assert view(after).counts["measured"] == 3
    for old in before.records:
        new = after.record(old.trial)
        assert new.value("lut", judge) == pytest.approx(2 * old.value("lut", before.goals.judge), rel=0.02)
        assert new.value("lut", before.goals.judge) == old.value("lut", before.goals.judge)
    assert {m.judge for m in after.record(2).measurements if m.judge} == {judge}


def test_a_run_killed_meanwhile_estimates_only_what_is_left(root):
    """The study's file changes last: what was added before stays, once, and the next run does the rest."""
    study_file = root / "tiny" / "study.json"
    before = study_file.read_text()
    explore(replace(QUICK, synthesizer=LEARNED), Options(root=root, quiet=True, jobs=1))
    rows = (root / "tiny" / "records.jsonl").read_text().splitlines()
    study_file.write_text(before)
    (root / "tiny" / "records.jsonl").write_text("\n".join(rows[:-1]) + "\n")
    run = explore(replace(QUICK, synthesizer=LEARNED), Options(root=root, quiet=True, jobs=1)).run
    assert [len([m for m in record.measurements if m.judge == run.goals.judge]) for record in run.records] == [1, 1]


def test_back_to_the_estimate_before_needs_nothing_new(root):
    """Its figures are in the records already."""
    explore(replace(QUICK, synthesizer=LEARNED), Options(root=root, quiet=True, jobs=1))
    rows = (root / "tiny" / "records.jsonl").read_text()
    assert view(explore(QUICK, Options(root=root, quiet=True, jobs=1)).run).counts["measured"] == 2
    assert (root / "tiny" / "records.jsonl").read_text() == rows


def test_designs_whose_networks_are_gone_are_named_and_nothing_is_written(root):
    """A front of some designs only would be another front."""
    for folder in (root / "store" / "convert").glob("*"):
        shutil.rmtree(folder)
    before = (root / "tiny" / "study.json").read_text(), (root / "tiny" / "records.jsonl").read_text()
    with pytest.raises(UsageError, match=r"trials 0, 1 cannot be estimated again"):
        explore(replace(QUICK, synthesizer=LEARNED), Options(root=root, quiet=True, jobs=1))
    assert ((root / "tiny" / "study.json").read_text(), (root / "tiny" / "records.jsonl").read_text()) == before


def test_another_version_of_a_tool_is_not_taken_for_the_same_judge(root):
    """Only estimates are made again by themselves: a tool's figures take hours."""
    path = root / "tiny" / "study.json"
    path.write_text(path.read_text().replace('"level": "estimated"', '"level": "hls"'))
    with pytest.raises(UsageError, match="figures of two judges never stand on one front"):
        explore(QUICK, Options(root=root, quiet=True, jobs=1))


def test_a_calibration_may_be_given_as_the_file_that_holds_it(tmp_path):
    """So that `--set synthesizer.calibration=FILE` works; anything else is refused."""
    LEARNED.calibration.save(tmp_path / "mine.json")
    assert Estimate(calibration=str(tmp_path / "mine.json")) == LEARNED
    with pytest.raises(UsageError, match="dse calibrate DIR"):
        Estimate(calibration=str(tmp_path / "none.json"))
    with pytest.raises(UsageError, match="must be a Calibration"):
        Estimate(calibration=3)

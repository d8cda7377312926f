"""One front of several runs: who may stand on it, and who does."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from build_run import JUDGE, goals, plain_record, write_run

from dse.cli import main
from dse.errors import UsageError
from dse.goals import Limit, Objective
from dse.joint import joint
from dse.metrics import Metric
from dse.run import open_run

WHAT = goals((Objective("accuracy"), Objective("lut")), ())


def a_run(folder, name, figures, *, what=WHAT, data="same", judge=JUDGE):
    """A run with these (accuracy, LUT) figures by trial, of these data."""
    records = [plain_record(trial, judge=judge, accuracy=a, lut=lut) for trial, (a, lut) in enumerate(figures)]
    run = write_run(folder / name, records, what=what, name=name)
    path = run.folder / "study.json"
    study = json.loads(path.read_text())
    study["facts"] = {**study.get("facts", {}), "data": data}
    path.write_text(json.dumps(study))
    return open_run(run.folder)


def test_designs_of_both_runs_beat_one_another(tmp_path):
    """The front is that of all points together, the best in the first objective first."""
    one = a_run(tmp_path, "one", [(0.9, 100), (0.8, 50), (0.5, 40)])
    two = a_run(tmp_path, "two", [(0.95, 300), (0.85, 45), (0.85, 46)])
    found = joint([one, two])
    assert [(name, standing.record.trial) for name, standing in found.front] == [("two", 0), ("one", 0), ("two", 1), ("one", 2)]


def test_a_limit_of_either_run_binds_both(tmp_path):
    """A design that one study would not have counts as infeasible for the other, too."""
    one = a_run(tmp_path, "one", [(0.9, 100)], what=goals(WHAT.objectives, (Limit("lut", at_most=200),)))
    two = a_run(tmp_path, "two", [(0.95, 300), (0.85, 45)])
    assert [name for name, _ in joint([one, two]).front] == ["one", "two"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": "other"}, "are not of the same data and split"),
        ({"what": goals((Objective("accuracy"),), ())}, "have other objectives: accuracy max, lut min; and accuracy max"),
        ({"what": replace(WHAT, judge=replace(JUDGE, clock_ns=2.5)), "judge": replace(JUDGE, clock_ns=2.5)}, "is judged by"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(tmp_path, changes, said):
    """Other rows, other objectives, another judge."""
    runs = [a_run(tmp_path, "one", [(0.9, 100)]), a_run(tmp_path, "two", [(0.8, 50)], **changes)]
    with pytest.raises(UsageError, match=said):
        joint(runs)
    with pytest.raises(UsageError, match="needs a name of its own, got one, one"):
        joint([runs[0], runs[0]])


def test_scores_of_either_study_are_known(tmp_path):
    """A limit on one's own score of one run can be held against the other only by what its records say: here nothing."""
    recall = Metric("recall", "fraction", "max", "found")
    what = replace(WHAT, own=(recall,), limits=(Limit("recall", at_least=0.5),))
    runs = [a_run(tmp_path, "one", [(0.9, 100)], what=what), a_run(tmp_path, "two", [(0.8, 50)])]
    assert joint(runs).front == ()


def test_the_command_shows_whose_designs_stand_on_it(tmp_path, capsys):
    """A row per design with its study; JSON says the same."""
    folders = [str(a_run(tmp_path, n, f).folder) for n, f in (("one", [(0.9, 100)]), ("two", [(0.95, 300)]))]
    with pytest.raises(SystemExit) as ended:
        main(["front", *folders])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "2 designs on the common front (1 of one, 1 of two), judged by" in printed
    with pytest.raises(SystemExit):
        main(["front", *folders, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [(row["study"], row["trial"]) for row in found["front"]] == [("two", 0), ("one", 0)]
    assert found["studies"] == ["one", "two"]

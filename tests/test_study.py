"""Studies: what is asked for, checked where it is written, and read from a file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dse.domains import Choice, Integers
from dse.errors import UsageError
from dse.goals import Limit, Objective
from dse.parts import Part
from dse.space import Space
from dse.study import SAMPLERS, Study, Target
from dse.studyfile import load
from dse.synth.estimate import Estimate
from dse.workload import Workload

PART = "xc7z020clg400-1"


def never():
    raise AssertionError


def study(**changes):
    whole = {
        "name": "small", "workload": Workload(never, never), "space": Space(Integers(3, 4), 6), "target": Target(PART),
    }  # fmt: skip
    return Study(**{**whole, **changes})


def test_a_study_needs_neither_data_nor_model():
    """It is a value: nothing is loaded, built or run."""
    found = study()
    assert found == study()
    assert [objective.metric for objective in found.objectives] == ["accuracy", "dsp", "lut", "latency_ns"]
    assert found.goals.resources["dsp"] == 220


def test_the_judge_is_the_synthesizers_at_the_target():
    """A swept clock belongs to no single judge's clock."""
    assert study().judge == Estimate().judge(PART, 5.0)
    assert study(space=Space(4, 4, clock_ns=Choice(3, 5))).judge.clock_ns is None
    assert study().goals.judge == study().judge


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "name of its folder: text without slashes, got ''"),
        ({"name": "a/b"}, "got 'a/b'"),
        ({"name": "a\\b"}, "without slashes"),
        ({"name": ".."}, r"got '\.\.'"),
        ({"name": "x" * 101}, "without slashes"),
        ({"name": 7}, "got 7"),
        ({"name": "store"}, "cannot be called 'store': its folder would be the store's"),
        ({"sampler": "cma"}, f"sampler must be one of {', '.join(SAMPLERS)}, got 'cma'"),
        ({"objectives": ()}, "study small: it needs at least one objective"),
        ({"objectives": (Objective("lut"), Objective("lut", "max"))}, "each metric can be an objective once, got lut, lut"),
        ({"objectives": "lut"}, "objectives must be several of the kind Objective in brackets, got 'lut'"),
        ({"objectives": Objective("lut")}, "objectives must be several of the kind Objective in brackets"),
        ({"objectives": ("lut",)}, "objectives must be of the kind Objective, got 'lut'"),
        ({"limits": (Objective("lut"),)}, "limits must be of the kind Limit"),
        ({"limits": (Limit("latency_ns", at_most_percent=5),)}, "limit on latency_ns: in percent only for dsp, lut"),
        ({"first": ({"weight_bits": 3}, 5)}, "first must be of the kind Mapping, got 5"),
        ({"workload": never}, "workload must be of the kind Workload"),
        ({"space": {"weight_bits": 4}}, "space must be of the kind Space"),
        ({"target": PART}, f"target must be of the kind Target, got '{PART}'"),
        ({"synthesizer": "vitis"}, "synthesizer must be of the kind Synthesizer, got 'vitis'"),
        ({"trials": 0}, "trials must be a whole number from 1"),
        ({"trials": 2.5}, "trials must be a whole number from 1"),
        ({"trials": True}, "got True"),
        ({"seed": -1}, "seed must be a whole number from 0"),
        ({"seed": "abc"}, "got 'abc'"),
        ({"timeout_s": 0}, "timeout_s must be a finite number above 0, got 0"),
        ({"timeout_s": float("nan")}, "got nan"),
    ],
)
def test_a_study_that_cannot_be_swept_is_refused(changes, said):
    """What, the rule and what was got, before anything has been computed."""
    with pytest.raises(UsageError, match=said):
        study(**changes)


@pytest.mark.parametrize("clock", [0, -5, 1e4, float("nan"), float("inf"), "5", True, None])
def test_a_targets_clock_is_a_period_in_ns(clock):
    """hls4ml itself accepts -3 without a word."""
    with pytest.raises(UsageError, match=r"target clock_ns must be a clock period in ns, above 0 and below 10000; got "):
        Target(PART, clock)


def test_a_targets_part_is_known_or_states_its_resources():
    """hls4ml itself accepts any name; 5 and 5.0 are the same clock."""
    with pytest.raises(UsageError, match="xcnonsense"):
        Target("xcnonsense")
    own = Part("mine", "mine", "7series", 10, 20, 30, 40, 0, "my board")
    assert (Target(own, 5).name, Target(own).resources) == ("mine", own)
    assert json.dumps(Target(own, 5).clock_ns) == "5.0"


def test_lists_are_as_good_as_tuples():
    """Brackets of either kind make the same study."""
    found = study(objectives=[Objective("lut")], limits=[Limit("lut", at_most=5)], first=[{"weight_bits": 3}])
    assert found == study(objectives=(Objective("lut"),), limits=(Limit("lut", at_most=5),), first=({"weight_bits": 3},))


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ({"accuracy": 0.8}, ""),
        ({"accuracy": 0.79}, "accuracy >= 0.8"),
        ({"accuracy": 0.9, "agreement": 0.5}, "agreement >= 1"),
        ({"accuracy": 0.0}, "accuracy >= 0.8"),
        ({"lut": 10**9}, ""),
        ({}, ""),
    ],
)
def test_a_design_is_hopeless_where_its_accuracy_breaks_a_limit(values, broken):
    """Limits on what is known before synthesis; a figure that is not there breaks none; the bound itself is kept."""
    limits = (Limit("accuracy", at_least=0.8), Limit("lut", at_most=100), Limit("agreement", at_least=1))
    assert study(limits=limits).hopeless(values) == broken
    assert study().hopeless(values) == ""


@dataclass(frozen=True)
class Tuned(Estimate):
    """A synthesizer with an option."""

    effort: int = 1


OTHER = {
    "the space": study(space=Space(Integers(3, 5), 6)),
    "the part": study(target=Target("xc7z010clg400-1")),
    "the clock": study(target=Target(PART, 4)),
    "the objectives": study(objectives=(Objective("lut"),)),
    "a direction": study(objectives=(Objective("accuracy", "min"), *study().objectives[1:])),
    "a limit": study(limits=(Limit("lut", at_most=5),)),
    "the synthesizer": study(synthesizer=Tuned()),
    "its option": study(synthesizer=Tuned(effort=2)),
    "the first designs": study(first=({"weight_bits": 3},)),
    "the training": study(workload=replace(study().workload, training=replace(study().workload.training, epochs=1))),
    "the split": study(workload=replace(study().workload, split_seed=1)),
    "exactness": study(workload=replace(study().workload, exact=False)),
}


def test_the_json_of_a_study_tells_another_study():
    """All that would make other records, and nothing of what may change from start to start."""
    texts = {name: json.dumps(other.as_json(), sort_keys=True, allow_nan=False) for name, other in OTHER.items()}
    whole = json.dumps(study().as_json(), sort_keys=True)
    assert len({whole, *texts.values()}) == 1 + len(OTHER)
    for changes in ({"trials": 5}, {"seed": 9}, {"sampler": "random"}, {"timeout_s": 5}, {"name": "other"}):
        assert json.dumps(study(**changes).as_json(), sort_keys=True) == whole


FILE = """
from dse import Choice, Integers, Space, Study, Target, Workload


def data():
    raise AssertionError


STUDY = Study("small", Workload(data, data), Space(Integers(3, 4), 6), Target("xc7z020clg400-1"))
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "study.py"
    path.write_text(FILE)
    return path


def test_a_study_file_is_read(file):
    """Its STUDY as it stands there."""
    found = load(file)
    assert (found.name, found.target, found.trials) == ("small", Target(PART), 60)


def test_a_study_file_is_read_under_a_relative_path(file, monkeypatch):
    """Lines of errors are found there too."""
    monkeypatch.chdir(file.parent)
    file.write_text(FILE + "\n1 / 0\n")
    with pytest.raises(UsageError, match=r"^study\.py, line 11 raised ZeroDivisionError: division by zero"):
        load(Path("study.py"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", r"study\.py: a study file defines STUDY = Study\(\.\.\.\), got NoneType"),
        ("STUDY = 5\n", "got int"),
        ("\n\nx = 1 +\n", r"study\.py, line 3 raised SyntaxError: invalid syntax"),
        ("def f():\n    raise ValueError('no')\n\nf()\n", r"study\.py, line 2 raised ValueError: no"),
        ("import nowhere\n", r"study\.py, line 1 raised ModuleNotFoundError: No module named 'nowhere'"),
        ("import sys\nsys.exit(3)\n", r"study\.py, line 2 raised SystemExit: 3"),
        ("\nfrom dse import Integers\nInteger = Integers(5, 3)\n", r"study\.py, line 3: Integers must go from low to high"),
        ("from dse import Studio\n", "line 1 raised ImportError: cannot import name 'Studio'"),
    ],
)
def test_a_study_file_that_raises_is_wrong_usage(file, text, said):
    """File, line and reason, not a traceback of this program; a study's own mistakes say what they say."""
    file.write_text(text)
    with pytest.raises(UsageError, match=said):
        load(file)


def test_a_study_file_that_is_not_there_is_wrong_usage(tmp_path):
    """A folder is none either."""
    for path in (tmp_path / "nowhere.py", tmp_path):
        with pytest.raises(UsageError, match=f"{path}: no such study file"):
            load(path)


def test_ctrl_c_in_a_study_file_is_ctrl_c(file):
    """It is the user's, not the file's."""
    file.write_text("raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        load(file)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("trials=5", lambda s: replace(s, trials=5)),
        ("sampler=random", lambda s: replace(s, sampler="random")),
        ("name=other", lambda s: replace(s, name="other")),
        ('name="7"', lambda s: replace(s, name="7")),
        ("name=a=b", lambda s: replace(s, name="a=b")),
        ("target.clock_ns=3", lambda s: replace(s, target=Target(PART, 3.0))),
        ("target.part=xc7z010clg400-1", lambda s: replace(s, target=Target("xc7z010clg400-1"))),
        ("workload.training.epochs=2", lambda s: replace(s, workload=replace(s.workload, training=training(s, epochs=2)))),
        ("workload.exact=false", lambda s: replace(s, workload=replace(s.workload, exact=False))),
        ("space.activation_bits=8", lambda s: replace(s, space=replace(s.space, activation_bits=8))),
    ],
)
def test_a_study_can_be_changed_from_the_command_line(file, change, expected):
    """The dotted name of a field, and JSON or else text; everything else stays."""
    plain = load(file)
    changed = replace(load(file, (change,)), workload=replace(load(file, (change,)).workload, data=never, model=never))
    assert changed == expected(replace(plain, workload=replace(plain.workload, data=never, model=never)))


def training(found, **changes):
    return replace(found.workload.training, **changes)


def test_changes_follow_one_another(file):
    """The last word counts."""
    assert load(file, ("trials=5", "seed=3", "trials=7")).trials == 7
    assert load(file, ("trials=5", "seed=3", "trials=7")).seed == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("trials", r"--set wants KEY=VALUE, such as target\.clock_ns=3; got 'trials'"),
        ("trails=5", "--set trails: there is no 'trails'; there are name, workload, space, target"),
        ("target.clock=5", r"--set target\.clock: there is no 'clock'; there are part, clock_ns"),
        ("name.x=5", r"--set name\.x: there is no 'x'; there are no fields"),
        ("=5", "--set : there is no ''"),
        ("trials=five", "trials must be a whole number from 1 to .*, got 'five'"),
        ("trials=1e3", "trials must be a whole number from 1 to .*, got 1000.0"),
        ("target.clock_ns=NaN", "clock period in ns, above 0 and below 10000; got nan"),
        ("target.part=xcnonsense", "xcnonsense"),
        ("sampler=cma", "sampler must be one of"),
        ("objectives=lut", "objectives must be several of the kind Objective in brackets, got 'lut'"),
        ("space=5", "space must be of the kind Space, got 5"),
        ("space.weight_bits=one", "weight_bits must be a whole number from 2 to 32"),
        ("space.weight_bits=[3, 4]", r"finite numbers, text, True or False; got \[3, 4\]"),
        ("workload.data=5", "workload: data must be a function"),
        ("workload.training.epochs=-1", "training epochs must be a whole number from 0"),
        ("timeout_s=soon", "timeout_s must be a finite number above 0, got 'soon'"),
    ],
)
def test_a_change_that_makes_no_sense_is_wrong_usage(file, change, said):
    """The key, what there is, or the rule that the value breaks."""
    with pytest.raises(UsageError, match=said):
        load(file, (change,))


def test_a_field_that_has_no_value_of_its_own_kind_is_wrong_usage(file):
    """A value that cannot be iterated, formatted or compared must not end in a traceback."""
    for key in ("name", "workload", "space", "target", "objectives", "limits", "synthesizer", "first", "sampler", "seed"):
        for value in ("null", "-1.5", "[[1]]", '{"a": 1}'):
            with pytest.raises(UsageError):
                load(file, (f"{key}={value}",))


def test_a_study_may_import_a_module_that_lies_beside_it(tmp_path, monkeypatch):
    """Models are often kept in a file of their own; a folder called dashboards there hides nothing of ours."""
    import sys

    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "dashboards").mkdir()
    (tmp_path / "beside_the_study.py").write_text("NAME = 'beside'\n")
    text = "from dataclasses import replace\nfrom beside_the_study import NAME\nfrom tests.tiny import STUDY as TINY\n"
    (tmp_path / "study.py").write_text(text + "STUDY = replace(TINY, name=NAME)\n")
    assert load(tmp_path / "study.py").name == "beside"
    import dashboards

    assert dashboards.__file__ is not None


READING = """
from dse import Integers, Space, Study, Target, Workload, datasets
STUDY = Study(
    name="reading",
    workload=Workload(data={data}, model=dict),
    space=Space(weight_bits=Integers(3, 4), activation_bits=4),
    target=Target(part="xcu250-figd2104-2L-e"),
)
"""


def test_a_data_file_reaches_the_studys_data_function(tmp_path, monkeypatch):
    """By its argument `path`, absolute: workers may be elsewhere."""
    study, data = tmp_path / "reading.py", tmp_path / "rows.csv"
    study.write_text(READING.format(data="datasets.from_file"))
    data.write_text("a,b,y\n" + "".join(f"{i},{-i},{i % 2}\n" for i in range(10)))
    monkeypatch.chdir(tmp_path)
    found = load(study, ("trials=3",), Path("rows.csv"))
    monkeypatch.chdir("/")
    assert found.trials == 3
    assert found.workload.data().x.tolist() == [[i, -i] for i in range(10)]


def test_a_data_file_that_nobody_takes_or_that_is_not_there_is_wrong_usage(tmp_path):
    """Before anything is loaded."""
    study = tmp_path / "reading.py"
    study.write_text(READING.format(data="datasets.digits"))
    with pytest.raises(UsageError, match="takes no file"):
        load(study, (), study)
    study.write_text(READING.format(data="datasets.from_file"))
    with pytest.raises(UsageError, match=r"gone\.csv: no such file"):
        load(study, (), tmp_path / "gone.csv")


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[1] / "studies").glob("*.py")), ids=lambda path: path.stem)
def test_the_studies_of_the_project_are_studies(path):
    """Importing one loads neither data nor a model."""
    assert load(path).name == path.stem

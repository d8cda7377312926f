"""`dse estimate` and `dse calibrate`."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from build_network import dense, network, relu
from build_run import JUDGE, VITIS, parameters_of, record_of, synthesized, write_run

from dse.cli import main
from dse.metrics import Judge, Source
from dse.synth.estimate import Calibration, Estimate


def call(capsys, *words):
    """Exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    said = capsys.readouterr()
    return caught.value.code, said.out, said.err


@pytest.fixture
def saved(tmp_path):
    """A converted network's folder."""
    found = network(dense("fc1", "x", 16, 8, reuse_factor=2), relu("r", "fc1", 8), dense("fc2", "r", 8, 4))
    (tmp_path / "entry").mkdir()
    found.save(tmp_path / "entry")
    return tmp_path / "entry", found


def test_a_saved_network_is_estimated_as_it_is(capsys, saved):
    """JSON holds what the synthesizer says: total with interval, grade and share of the part, and every layer."""
    folder, built = saved
    code, out, _ = call(capsys, "estimate", folder, "--json")
    found = json.loads(out)
    direct = Estimate().estimate(built)
    assert code == 0
    assert {name: row["value"] for name, row in found["total"].items()} == direct.values
    assert {name: tuple(row["interval"]) for name, row in found["total"].items()} == direct.intervals
    assert {name: row["grade"] for name, row in found["total"].items()} == direct.grades
    assert found["layers"] == {name: dict(row) for name, row in direct.layers.items()}
    assert found["total"]["lut"]["share"] == direct.values["lut"] / 1728000
    assert found["total"]["latency_cycles"]["share"] is None
    assert found["synthesises"]["share"] == 1


def test_the_projects_folder_leads_to_the_network_beside_it(capsys, saved):
    """In a sweep's store the project and the network share an entry."""
    folder, _ = saved
    (folder / "project").mkdir()
    assert call(capsys, "estimate", folder / "project", "--json")[1] == call(capsys, "estimate", folder, "--json")[1]


def test_the_table_shows_layers_bounds_and_grades(capsys, saved):
    """For people: every layer, the total with its bounds, what share of the part."""
    code, out, _ = call(capsys, "estimate", saved[0], "--part", "xc7z020clg400-1")
    assert code == 0
    for text in ("fc1", "fc2", "law", "of the part", "xc7z020clg400-1, 5 ns, io_parallel", "known attempts"):
        assert text in out


def test_knobs_change_the_network(capsys, saved):
    """Reuse factor, strategy, clock and part are the command's where given."""
    options = (
        "--reuse-factor",
        8,
        "--strategy",
        "resource",
        "--clock",
        3,
        "--part",
        "xc7z020clg400-1",
        "--io-type",
        "io_stream",
    )
    found = json.loads(call(capsys, "estimate", saved[0], *options, "--json")[1])
    assert found["total"]["dsp"]["value"] == 16
    assert (found["clock_ns"], found["part"], found["io_type"]) == (3.0, "xc7z020clg400-1", "io_stream")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--strategy", "fast"), "--strategy must be one of latency, resource"),
        (("--io-type", "io_serial"), "--io-type must be one of io_parallel, io_stream"),
        (("--strategy", "resource", "--reuse-factor", "3"), "layer fc1: reuse_factor must be one of (1, 2, 4, 8, 16"),
        (("--part", "xcnonsense"), "State its resources"),
        (("--clock", "0"), "--clock must be a clock period in ns, above 0 and below 10000; got 0.0"),
        (("--clock", "nan"), "got nan"),
        (
            ("--strategy", "distributed_arithmetic", "--reuse-factor", "1"),
            "layer fc1: strategy 'distributed_arithmetic': no estimate",
        ),
    ],
)
def test_what_cannot_be_estimated_is_named(capsys, saved, words, said):
    """One message, no table."""
    code, out, err = call(capsys, "estimate", saved[0], *words)
    assert code in (1, 2)
    assert said in err
    assert out == ""


SAVE = """
import sys
from dse.legacy_keras import import_tensorflow
import_tensorflow()
from tf_keras import Sequential, layers
from dse.cli import main
Sequential([layers.Input((16,)), layers.Dense(8, name="fc1"), layers.Dense(3, name="fc2")]).save(sys.argv[1])
main(["estimate", *sys.argv[1:]])
"""


@pytest.mark.parametrize("asked", [7, 8])
def test_another_reuse_factor_than_asked_is_said(tmp_path, asked):
    """hls4ml takes the nearest that a layer allows: the table is of that design, and says so where it is not as asked."""
    words = [sys.executable, "-c", SAVE, str(tmp_path / "model.h5"), "--strategy", "resource", "--reuse-factor", str(asked)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    said = " ".join(done.stdout.split())
    assert "fc1 dense resource 8" in said
    assert ("hls4ml builds no reuse factor 7 here, but the nearest: fc1 8, fc2 8." in said) == (asked == 7)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone.h5", "no such file"),
        ("model.onnx", "a model ends in .keras, .h5"),
        ("", "neither layers.json nor hls4ml_config.yml"),
    ],
)
def test_what_is_no_model_is_refused(capsys, tmp_path, name, said):
    """A missing file, another format, a folder of something else."""
    if name == "model.onnx":
        (tmp_path / name).write_text("x")
    code, _, err = call(capsys, "estimate", tmp_path / name)
    assert code == 2
    assert said in err


def test_a_folder_of_hls4mls_is_read_by_its_settings(capsys, tmp_path):
    """What `read_project` says reaches the user; options go with it."""
    (tmp_path / "hls4ml_config.yml").write_text("Backend: Vitis")
    code, _, err = call(capsys, "estimate", tmp_path, "--clock", "8")
    assert code == 2
    assert "hls4ml_config.yml: no IOType, Part, ClockPeriod, HLSConfig" in err


def finished(tmp_path, number=24, judges=(VITIS,)):
    """A sweep in which a tool's LUTs are 0.6 of the estimate's, give or take 3 %."""
    records, draw = [], random.Random(0)
    for trial in range(number):
        record = record_of(trial, parameters_of(draw), draw)
        if record.value("lut", JUDGE) is None:
            continue
        more = [
            synthesized(
                record.design,
                judge,
                Source("synth", judge.tool, judge.version, judge.level),
                0.6 * draw.uniform(0.97, 1.03),
                sure=True,
            )
            for judge in judges
        ]
        records.append(record.plus(more))
    write_run(tmp_path / "digits", records)
    return tmp_path / "digits"


def test_calibrate_writes_a_correction_and_says_what_it_is_worth(capsys, tmp_path):
    """Errors before and after on designs that were left out; the file makes another judge."""
    out = tmp_path / "mine.json"
    code, text, _ = call(capsys, "calibrate", finished(tmp_path), "--out", out, "--json")
    found = json.loads(text)
    assert code == 0
    assert found["before"]["lut"] > 40
    assert found["after"]["lut"] < 5
    learned = Calibration.load(out)
    assert learned.tool_version == VITIS.version
    assert learned.of("dsp") is None
    assert Estimate(calibration=learned).judge(VITIS.part, 5.0) != Estimate().judge(VITIS.part, 5.0)
    code, text, _ = call(capsys, "calibrate", tmp_path / "digits", "--out", out)
    assert "corrected" in text
    assert "left as it was" in text


def test_calibrate_learns_from_one_tool_at_a_time(capsys, tmp_path):
    """Two versions are two judges: the choice is the user's."""
    newer = Judge(VITIS.synthesizer, VITIS.tool, "2024.1", VITIS.level, VITIS.part, VITIS.clock_ns)
    folder, out = finished(tmp_path, judges=(VITIS, newer)), tmp_path / "mine.json"
    code, _, err = call(capsys, "calibrate", folder, "--out", out)
    assert code == 2
    assert "Choose with --tool" in err
    assert not out.exists()
    code, _, _ = call(capsys, "calibrate", folder, "--out", out, "--tool", "2024.1")
    assert code == 0
    assert Calibration.load(out).tool_version == "2024.1"


def test_calibrate_without_figures_of_a_tool_writes_nothing(capsys, tmp_path):
    """Nothing to learn from is said, not shrugged off."""
    code, _, err = call(capsys, "calibrate", finished(tmp_path, judges=()), "--out", tmp_path / "mine.json")
    assert code == 2
    assert "no design has figures of a vendor's tool beside its estimate" in err
    assert not (tmp_path / "mine.json").exists()
    code, _, err = call(capsys, "estimate", tmp_path, "--calibration", tmp_path / "mine.json")
    assert code == 2

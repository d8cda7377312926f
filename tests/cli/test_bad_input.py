"""Every mistake gives one clear message, the right exit code, no traceback, and loses nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dse.cli import main

TINY = Path(__file__).parents[1] / "tiny.py"
HEAD = "from dataclasses import replace\nfrom dse import *\nfrom tests.tiny import STUDY as TINY\n"


def call(*words, **environment):
    """Exit code and what was said on standard error, of the command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", "from dse.cli import main; main()", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def quick(capsys, *words):
    """The same in this process, for what fails before any worker is started."""
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    return caught.value.code, capsys.readouterr().err


def study(tmp_path, text):
    """A study file."""
    path = tmp_path / "study.py"
    path.write_text(HEAD + text)
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("STUDY = replace(TINY, space=Space(weigth_bits=4, activation_bits=4))", ["line 4", "Did you mean weight_bits?"]),
        ("STUDY = replace(TINY, space=Space(weight_bits=1, activation_bits=4))", ["weight_bits must be", "got 1", "1-bit"]),
        ("STUDY = replace(TINY, space=Space(weight_bits=Choice(), activation_bits=4))", ["at least one value"]),
        (
            "STUDY = replace(TINY, space=Space(weight_bits=4, activation_bits=4, strategy='Unrolled'))",
            ["strategy must be one of"],
        ),
        (
            "STUDY = replace(TINY, space=Space(weight_bits=4, activation_bits=4, io_type='io_serial'))",
            ["io_type must be one of"],
        ),
        ("STUDY = replace(TINY, limits=(Limit('luts', at_most=3),))", ["metric must be one of", "got 'luts'"]),
        ("STUDY = replace(TINY, target=Target('xcnonsense'))", ["xcnonsense", "State its resources"]),
        ("STUDY = replace(TINY, target=Target('xcu250-figd2104-2L-e', clock_ns=-3))", ["clock period", "got -3"]),
        ("STUDY = 1 / 0", ["line 4", "ZeroDivisionError"]),
        ("STUDY = 'no study'", ["STUDY = Study(...)", "got str"]),
        ("this is no python", ["SyntaxError", "line 4"]),
    ],
)
def test_a_mistake_in_the_study_file_is_wrong_usage_said_in_one_message(capsys, tmp_path, text, words):
    """Exit code 2, the file and line, the rule, what was got."""
    code, said = quick(capsys, "run", study(tmp_path, text), "--root", tmp_path / "root")
    assert code == 2
    assert all(word in said for word in words), said
    assert not (tmp_path / "root").exists()


def test_a_missing_study_file_and_unknown_verbs_are_wrong_usage(capsys, tmp_path):
    """Exit code 2, and what is there instead."""
    assert quick(capsys, "run", tmp_path / "nothing.py")[0] == 2
    code, said = quick(capsys, "rnu")
    assert code == 2
    assert "Did you mean" in said
    code, said = quick(capsys, "run", TINY, "--set", "target.clock=3")
    assert code == 2
    assert "clock_ns" in said
    code, said = quick(capsys, "run", TINY, "--retry-failed", "bad")
    assert code == 2
    assert "timeout" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "STUDY = replace(TINY, space=replace(TINY.space, reuse_factor=Choice(1, 3)))",
            ["reuse_factor must be one of", "got 3"],
        ),
        ("STUDY = replace(TINY, space=replace(TINY.space, weight_bits={'fc9': 4, '*': 5}))", ["no layer fc9", "fc1, out"]),
        ("STUDY = replace(TINY, first=({'weight_bits': 4},))", ["needs a value for", "reuse_factor"]),
    ],
)
def test_what_only_the_built_model_shows_is_still_one_message(tmp_path, text, words):
    """Layer names and legal reuse factors are known once a worker has built the model: exit code 2, nothing swept."""
    code, said = call("run", study(tmp_path, text), "--root", tmp_path / "root")
    assert code == 2, said
    assert all(word in said for word in words), said
    assert not (tmp_path / "root/tiny/records.jsonl").exists()


DILATED = """
def dilated():
    from tf_keras import Sequential, layers
    shape = [layers.Input((8,)), layers.Reshape((4, 2), name="rows")]
    wide = layers.Conv1D(2, 2, dilation_rate=2, activation="relu", name="wide")
    return Sequential([*shape, wide, layers.Flatten(name="flat"), layers.Dense(3, name="out")])

STUDY = replace(TINY, workload=replace(TINY.workload, model=dilated))
"""


def test_a_layer_that_hls4ml_would_build_otherwise_is_named_before_anything_is_trained(tmp_path):
    """One message with the layer, the reason and what to do; no record."""
    code, said = call("run", study(tmp_path, DILATED), "--root", tmp_path / "root")
    assert code in (1, 2), said
    said = " ".join(said.split())
    assert "layer wide: dilation_rate (2,): hls4ml drops dilation" in said, said
    assert not (tmp_path / "root/tiny/records.jsonl").exists()
    assert not (tmp_path / "root/store/train").exists()


def test_without_a_compiler_the_sweep_does_not_begin(tmp_path):
    """One message that says how to get g++, not a failure per trial."""
    code, said = call("run", TINY, "--root", tmp_path / "root", DSE_CXX="no-such-compiler")
    assert code == 1, said
    assert "g++" in said
    assert not (tmp_path / "root/tiny/records.jsonl").exists()


def test_a_compiler_that_compiles_nothing_is_said_once(tmp_path):
    """It states its version like any other; a small network shows what it is worth, before the first design is asked for."""
    broken = tmp_path / "g++"
    broken.write_text("#!/bin/sh\n[ $1 = -dumpfullversion ] && exec echo 12.2.0\necho 'no memory for cc1plus' >&2\nexit 1\n")
    broken.chmod(0o755)
    code, said = call("run", TINY, "--root", tmp_path / "root", "--jobs", "2", DSE_CXX=str(broken))
    assert code == 1, said
    assert said.count("dse: ") == said.count("one-neuron network") == 1, said
    assert "no memory for cc1plus" in said
    assert not (tmp_path / "root/tiny/records.jsonl").exists()


def test_data_that_memory_does_not_hold_are_said_so(tmp_path):
    """Not a crash, and not the data function's fault: the look at them ends, with what to do."""
    text = "def data():\n    raise MemoryError\n\nSTUDY = replace(TINY, workload=replace(TINY.workload, data=data))"
    code, said = call("run", study(tmp_path, text), "--root", tmp_path / "root")
    assert code == 1, said
    assert "was refused the memory that it asked for" in said
    assert not (tmp_path / "root/tiny/records.jsonl").exists()


def test_a_root_that_cannot_be_written_is_said_at_once(capsys, tmp_path):
    """A file where a folder should be; nothing was begun."""
    (tmp_path / "file").write_text("")
    code, said = quick(capsys, "run", TINY, "--root", tmp_path / "file" / "root")
    assert code == 1
    assert "--root" in said


def test_a_damaged_record_is_refused_and_named_by_its_line(capsys, tmp_path):
    """A torn line in the middle is no crash's work: the sweep does not go on over it, and the file stays as it is."""
    folder = tmp_path / "root" / "tiny"
    folder.mkdir(parents=True)
    records = folder / "records.jsonl"
    records.write_text('{"v": 1, "kind"\n' + json.dumps({"v": 1, "kind": "asked"}) + "\n")
    before = records.read_text()
    code, said = quick(capsys, "run", TINY, "--root", tmp_path / "root")
    assert code == 1
    assert "line 1" in said
    assert records.read_text() == before

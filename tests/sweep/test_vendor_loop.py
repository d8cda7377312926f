"""A study whose judge is a vendor's tool: each design is synthesised inside the sweep, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from vendor_tools import REPORTS, fake_tools  # noqa: F401

from dse.run import open_run
from dse.store import Store

STUDY = """
from dataclasses import replace
from dse import Choice, Vitis, Vivado
from tests.tiny import STUDY as TINY
space = replace(TINY.space, weight_bits=5, activation_bits=5, sparsity=0.0, reuse_factor=Choice(1, 2, 4), strategy="latency")
STUDY = replace(TINY, name="NAME", space=space, synthesizer=SYNTHESIZER)
"""
RUN = [sys.executable, "-c", "from dse.cli import main; main()", "run"]


@pytest.fixture
def sweep(tools, tmp_path):
    """Write a study of three designs and sweep it in a process of its own: exit code and what was printed."""
    path = os.pathsep.join([str(tools.folder), "/usr/local/bin", "/usr/bin", "/bin"])

    def call(name, synthesizer, *words):
        study = tmp_path / f"{name}.py"
        study.write_text(STUDY.replace("NAME", name).replace("SYNTHESIZER", synthesizer))
        told = [*RUN, str(study), "--trials", "3", "--jobs", "1", "--root", str(tmp_path / "runs"), *words]
        done = subprocess.run(told, capture_output=True, text=True, check=False, env={**os.environ, "PATH": path})
        return done.returncode, done.stdout + done.stderr

    return call


def calls(tools):
    """The tools that were called, in order."""
    return [note["tool"] for note in tools.notes if "tool" in note]


@pytest.mark.slow
def test_a_vendor_tool_judges_a_sweep_and_is_never_asked_twice(sweep, tools, tmp_path):
    """Three designs, three runs of the tool; a resumed sweep, another study and another limit of time call it no more.

    With Vivado on top, only Vivado runs; the figures of the rung below stay in the records.
    """
    assert REPORTS.is_dir()
    code, said = sweep("one", "Vitis()")
    assert code == 0, said
    assert calls(tools) == ["vitis-run"] * 3
    run = open_run(tmp_path / "runs" / "one")
    assert (run.goals.judge.tool, run.goals.judge.version, run.goals.judge.level) == ("Vitis HLS", "2023.2", "hls")
    assert [record.value("lut", run.goals.judge) for record in run.records] == [2109] * 3
    slower = "Vitis(terms=__import__('dse.vendor').vendor.Terms(at_once=1))"
    for name, synthesizer in (("one", slower), ("two", "Vitis()")):
        code, said = sweep(name, synthesizer)
        assert code == 0, said
    assert calls(tools) == ["vitis-run"] * 3
    code, said = sweep("three", 'Vivado("netlist", Vitis())')
    assert code == 0, said
    assert calls(tools) == ["vitis-run"] * 3 + ["vivado"] * 3
    run = open_run(tmp_path / "runs" / "three")
    assert [[judge.level for judge in record.judges] for record in run.records] == [["hls", "netlist"]] * 3
    assert run.goals.judge.level == "netlist"


@pytest.mark.slow
def test_failures_of_a_tool_in_the_loop_are_typed_and_resumed(sweep, tools, tmp_path):
    """A refusal is each design's own and remembered; a killed tool is the machine's fault: tried again, then the sweep stops.

    On request the sweep goes on where it stopped.
    """
    tools.misbehave("killed")
    code, said = sweep("short", "Vitis()")
    assert code == 1
    assert "stopped: 3 trials in a row failed with 'memory'" in said
    assert calls(tools) == ["vitis-run"] * 6  # each tried once more
    tools.misbehave("refused")
    code, said = sweep("short", "Vitis()", "--retry-failed", "memory")
    assert (code, "every one of the 3 designs failed" in said) == (1, True), said
    failures = [record.failure for record in open_run(tmp_path / "runs" / "short").records]
    assert [(failure.stage, failure.kind) for failure in failures] == [("synthesize", "tool")] * 3
    assert calls(tools) == ["vitis-run"] * 9
    code, said = sweep("again", "Vitis()")
    assert code == 1, said
    assert calls(tools) == ["vitis-run"] * 9
    tools.misbehave("")
    code, said = sweep("short", "Vitis()", "--retry-failed", "tool")
    assert code == 0, said
    store = Store(tmp_path / "runs")
    kept = [json.loads((path / "entry.json").read_text()) for path in store.entries() if path.parts[-3] == "synthesize"]
    assert [entry["failure"] for entry in kept] == [None] * 3

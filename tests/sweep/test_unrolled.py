"""A whole sweep whose hardware is judged by open synthesis, with hls4ml's own distributed arithmetic among its designs."""

from dataclasses import replace

import pytest

from dse import Choice, Options, explore
from dse.synth.open import Open
from dse.view import view
from tests.tiny import STUDY


@pytest.mark.slow
def test_open_synthesis_judges_a_sweep_to_its_front(tmp_path):
    """Every design has cells, and rows on which its adder graph equals the emulation; the strategy changes no output and no
    cell, for both are unrolled into the same shared additions. The front is compiled as it is built, weights in the code.
    """
    for library in ("alkaid", "pyosys", "da4ml"):
        pytest.importorskip(library)
    strategies = ("latency", "distributed_arithmetic")
    space = replace(STUDY.space, weight_bits=4, activation_bits=4, sparsity=0.5, reuse_factor=1, strategy=Choice(*strategies))
    study = replace(STUDY, name="unrolled", space=space, synthesizer=Open(), trials=2)
    run = explore(study, Options(root=tmp_path, jobs=1, quiet=True)).run
    records = sorted(run.records, key=lambda record: strategies.index(str(record.design.hardware.strategy.default)))
    assert [record.failure for record in records] == [None, None]
    assert [record.effective["strategy.fc1"] for record in records] == list(strategies)
    for record in records:
        assert record.value("agreement") == 1
        assert record.value("agreement_logic") == 1
        assert "distributed arithmetic" in run.goals.judge.name
        assert record.value("dsp", run.goals.judge) == 0
        assert record.value("carry", run.goals.judge) > 0
    for name in ("accuracy", "lut", "ff", "stages"):
        judge = None if name == "accuracy" else run.goals.judge
        assert len({record.value(name, judge) for record in records}) == 1, name
    front = [standing.record for standing in view(run).front]
    assert front
    assert all(record.value("accuracy_test") is not None for record in front)

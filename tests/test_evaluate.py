"""One design through all stages, with real training, conversion and compilation."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dse import compiler
from dse.design import build
from dse.domains import Choice
from dse.errors import DseError
from dse.evaluate import evaluate, verify
from dse.goals import Limit
from dse.nn import emulate, train
from dse.preflight import preflight
from dse.store import Store
from tests.tiny import STUDY


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store for the tests of this file."""
    found = Store(tmp_path_factory.mktemp("root"))
    found.prepare()
    return found


def design(**changes):
    """A design of the tiny study."""
    knobs = {"weight_bits": 5, "activation_bits": 5, "sparsity": 0.5, "input_bits": 8, "reuse_factor": 1, "strategy": "latency"}
    return build({**knobs, **changes})


def made(store):
    """Stages that were published, in order."""
    path = store.folder / "made.jsonl"
    return [json.loads(line)["stage"] for line in path.read_text().splitlines()] if path.exists() else []


def test_a_trial_carries_every_figure_with_its_source_and_costs_nothing_the_second_time(store):
    """All five stages leave an entry; every figure names its stage, tool, version and entry; asked again, nothing is made."""
    record = evaluate(0, design(), STUDY, store)
    assert record.failure is None, record.failure
    assert made(store)[-5:] == ["train", "compress", "convert", "emulate", "synthesize"]
    assert list(record.entries) == ["train", "compress", "convert", "emulate", "synthesize"]
    assert record.value("agreement") == 1.0
    assert record.value("accuracy_n") == 24
    for name in ("accuracy", "dsp", "lut", "ff", "bram_18k", "latency_cycles", "interval_cycles", "latency_ns"):
        found = record.measurement(name)
        assert found is not None, name
        assert found.source.tool
        assert found.source.version
        assert found.source.key in record.entries.values()
    assert record.measurement("lut").judge == STUDY.judge
    before = made(store)
    again = evaluate(1, design(), STUDY, store)
    assert made(store) == before
    assert again.measurements == record.measurements
    assert again.entries == record.entries


def test_accuracy_is_that_of_the_emulated_outputs(store):
    """Recomputed from the stored outputs and the labels, independently of the record's path."""
    record = evaluate(0, design(), STUDY, store)
    outputs = emulate.load_outputs(store.path("emulate", record.entries["emulate"]), "validation")
    rows = train.load_split(STUDY.workload).validation
    assert record.value("accuracy") == np.mean(outputs.argmax(axis=1) == rows.y)
    labels = np.load(store.path("emulate", record.entries["emulate"]) / "labels-validation.npy", allow_pickle=False)
    np.testing.assert_array_equal(labels, rows.y)  # so that readers need not run the study


def test_a_hardware_knob_retrains_and_recompiles_nothing(store):
    """Another reuse factor and strategy: only conversion and synthesis are made anew."""
    evaluate(0, design(), STUDY, store)
    before = len(made(store))
    record = evaluate(1, design(reuse_factor=4, strategy="resource"), STUDY, store)
    assert record.failure is None, record.failure
    assert made(store)[before:] == ["convert", "synthesize"]
    assert record.effective["reuse_factor.fc1"] == 4
    assert record.effective["strategy.out"] == "resource"


def test_verifying_emulates_the_design_as_it_stands_on_validation_and_test_rows(store):
    """The front's check compiles the very project of the design, shared emulations notwithstanding."""
    evaluate(0, design(), STUDY, store)
    record = evaluate(1, design(reuse_factor=2, strategy="resource"), STUDY, store)
    measurements, failure = verify(record, STUDY, store)
    assert failure is None, failure
    assert {name for m in measurements for name in m.values} == {
        "accuracy_test",
        "accuracy_test_n",
        "auc_test",
        "agreement_test",
    }
    entry = store.find("verify", measurements[0].source.key)
    assert entry is not None
    assert entry.data["built"] == _network(store, record).digest


def _network(store, record):
    from dse.network import Network

    return Network.load(store.path("convert", record.entries["convert"]))


def test_verifying_finds_a_record_whose_accuracy_is_not_that_of_the_built_design(store):
    """A shared score that the design as built does not reach is a mismatch, never a cheap point on the front."""
    record = evaluate(0, design(), STUDY, store)
    wrong = [replace(m, values={**m.values, "accuracy": 0.123}) if "accuracy" in m.values else m for m in record.measurements]
    _, failure = verify(replace(record, measurements=tuple(wrong)), STUDY, store)
    assert failure is not None
    assert failure.kind == "mismatch"


def test_a_reuse_factor_that_hls4ml_would_change_is_refused_before_anything_is_made(store):
    """hls4ml snaps an illegal reuse factor silently; here it is `invalid`, with the legal ones."""
    before = made(store)
    record = evaluate(0, design(reuse_factor=3, strategy="resource"), STUDY, store)
    assert record.failure is not None
    assert (record.failure.stage, record.failure.kind) == ("check", "invalid")
    assert "must be one of (1, 2, 4" in record.failure.message
    assert made(store) == before


def test_a_design_below_the_accuracy_limit_is_not_synthesised(store):
    """A hopeless design stops after its emulation and says which limit it breaks."""
    strict = replace(STUDY, limits=(Limit("accuracy", at_least=1.01),))
    record = evaluate(0, design(), strict, store)
    assert record.pruned == "accuracy >= 1.01"
    assert record.value("lut") is None
    assert record.value("accuracy") is not None
    assert "synthesize" not in record.entries


def test_a_swept_clock_reaches_the_figures_and_the_judge_says_so(store):
    """With the clock as a knob the judge names no clock and latency_ns follows the design's own."""
    swept = replace(STUDY, space=replace(STUDY.space, clock_ns=Choice(4.0, 5.0)))
    record = evaluate(0, design(clock_ns=4.0), swept, store)
    assert record.failure is None, record.failure
    assert record.effective["clock_ns"] == 4.0
    assert record.measurement("latency_ns").judge.clock_ns is None
    assert record.value("latency_ns") == record.value("latency_cycles") * 4.0


def _unsupported():
    from tf_keras import Sequential, layers

    return Sequential([layers.Input((8,)), layers.Dense(8, activation="tanh", name="fc1"), layers.Dense(3, name="out")])


def _softmax():
    from tf_keras import Sequential, layers

    return Sequential([layers.Input((8,)), layers.Dense(3, activation="softmax", name="out")])


def _clipped():
    from tf_keras import Sequential, layers

    return Sequential(
        [layers.Input((8,)), layers.Dense(8, name="fc1"), layers.ReLU(6.0, name="r"), layers.Dense(3, name="out")]
    )


@pytest.mark.parametrize(
    ("model", "words"),
    [(_unsupported, "layer fc1 ends in tanh"), (_softmax, "end the network in logits"), (_clipped, "hls4ml drops max_value")],
)
def test_what_hls4ml_would_build_otherwise_is_unsupported_by_name(store, model, words):
    """Layers and options that cannot be built as they are, are named before any training."""
    study = replace(STUDY, workload=replace(STUDY.workload, model=model))
    record = evaluate(0, design(), study, store)
    assert record.failure is not None
    assert record.failure.kind == "unsupported"
    assert words in record.failure.message
    assert "train" not in record.entries


def test_the_preflight_is_done_once(store):
    """A one-neuron network proves the tools, and is kept for the next start."""
    preflight(STUDY.target, store)
    before = made(store)
    preflight(STUDY.target, store)
    assert before.count("preflight") == 1
    assert made(store) == before


def test_a_preflight_that_fails_is_said_and_tried_again_at_the_next_start(tmp_path, monkeypatch):
    """The machine may have been mended meanwhile: unlike a design's own failures this one is not remembered."""
    fresh = Store(tmp_path)
    fresh.prepare()
    monkeypatch.setattr(compiler, "FLAGS", (*compiler.FLAGS, "--no-such-option"))
    with pytest.raises(DseError, match="one-neuron network"):
        preflight(STUDY.target, fresh)
    monkeypatch.undo()
    preflight(STUDY.target, fresh)
    assert made(fresh) == ["preflight"]


def _greedy(*_, **__):
    raise MemoryError


@pytest.mark.parametrize("what", ["data", "model"])
def test_memory_that_is_short_is_no_fault_of_the_design(tmp_path, what):
    """Not even in the study's own functions: no record says `invalid`, the process has to end."""
    store = Store(tmp_path)
    store.prepare()
    study = replace(STUDY, workload=replace(STUDY.workload, **{what: _greedy}))
    with pytest.raises(MemoryError):
        evaluate(0, design(), study, store)

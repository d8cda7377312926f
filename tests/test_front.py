"""Designs scored by the float64 reference, and only the front converted, compiled and emulated."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dse import Integers, Limit, Objective, Options, explore
from dse.design import build
from dse.errors import StageFailed, UsageError
from dse.evaluate import evaluate, verify
from dse.ladder import network_of
from dse.network import Network
from dse.nn import blueprint, convert
from dse.store import Store
from dse.synth.vitis import Vitis
from dse.view import view
from tests.tiny import STUDY

FRONT = replace(STUDY, emulate="front")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store for the tests of this file."""
    found = Store(tmp_path_factory.mktemp("root"))
    found.prepare()
    return found


def design(**changes):
    """A design of the tiny study."""
    knobs = {
        "weight_bits": 5,
        "activation_bits": 5,
        "sparsity": 0.5,
        "input_bits": 8,
        "reuse_factor": 2,
        "strategy": "resource",
    }
    return build({**knobs, **changes})


def made(store):
    """Stages that were published, in order."""
    return [json.loads(line)["stage"] for line in (store.folder / "made.jsonl").read_text().splitlines()]


def test_a_scored_design_has_the_figures_of_an_emulated_one(store):
    """Nothing is converted or compiled, and accuracy, types and estimates are those that the whole way gives."""
    record = evaluate(0, design(), FRONT, store)
    assert record.failure is None, record.failure
    assert not {"convert", "emulate"} & set(made(store))
    assert record.measurement("accuracy").source.level == "reference"
    assert record.value("agreement") is None
    whole = evaluate(1, design(), STUDY, store)
    assert whole.measurement("accuracy").source.level == "emulated"
    assert record.effective == whole.effective
    for name in ("accuracy", "accuracy_n", "accuracy_float", "lut", "dsp", "latency_ns"):
        assert record.value(name) == whole.value(name), name
    assert record.entries["convert"] == whole.entries["convert"]
    assert record.entries["synthesize"] == whole.entries["synthesize"]


def test_a_design_of_the_front_is_built_compared_and_emulated(store):
    """After that its accuracy is an emulated one, and its project is there."""
    record = evaluate(0, design(reuse_factor=1), FRONT, store)
    assert network_of(record, store).parts[-3] == "foresee"
    measurements, failure = verify(record, FRONT, store)
    assert failure is None, failure
    proven = record.plus(measurements)
    assert proven.measurement("accuracy").source.level == "emulated"
    assert proven.value("accuracy") == record.value("accuracy")
    assert (proven.value("agreement"), proven.value("agreement_test")) == (1.0, 1.0)
    built = network_of(proven, store)
    assert built.parts[-3] == "convert"
    assert Network.load(built).digest == Network.load(store.path("foresee", record.entries["foresee"])).digest


def test_another_network_than_was_foreseen_is_a_mismatch(store, monkeypatch):
    """By the first layer that differs."""
    honest = convert.foresee

    def wrong(*given):
        network = honest(*given)
        last = network.layers[-1]
        wider = replace(last.result_type, width=last.result_type.width + 1)
        return replace(network, layers=(*network.layers[:-1], replace(last, result_type=wider)))

    monkeypatch.setattr(convert, "foresee", wrong)
    record = evaluate(0, design(weight_bits=4), FRONT, store)
    assert record.failure is None
    monkeypatch.undo()
    _, failure = verify(record, FRONT, store)
    assert failure is not None
    assert (failure.stage, failure.kind) == ("verify", "mismatch")
    assert "another network than was foreseen: out:" in failure.message


def test_other_outputs_than_the_reference_said_are_a_mismatch(store):
    """One output of one row is enough, though the accuracy may stay."""
    record = evaluate(0, design(weight_bits=6), FRONT, store)
    path = store.path("foresee", record.entries["foresee"]) / "outputs.npz"
    outputs = dict(np.load(path, allow_pickle=False))
    outputs["validation"][3, 0] -= 2.0**-20
    np.savez(path, **outputs)
    _, failure = verify(record, FRONT, store)
    assert failure is not None
    assert failure.kind == "mismatch"
    assert "95.83% of the validation rows" in failure.message


def test_what_no_blueprint_covers_is_converted_and_scored_all_the_same(store, monkeypatch):
    """Slower, with the same record."""

    def refuse(*_):
        raise StageFailed("unsupported", "no such layer")

    monkeypatch.setattr(blueprint, "blueprint", refuse)
    before = len(made(store))
    record = evaluate(0, design(activation_bits=4), FRONT, store)
    assert record.failure is None, record.failure
    assert "convert" in made(store)[before:]
    assert record.measurement("accuracy").source.level == "reference"
    _, failure = verify(record, FRONT, store)
    assert failure is None or failure.message == ""


def test_a_sweep_emulates_its_front_alone(tmp_path):
    """Eight designs are scored; what is on the front has been emulated as it is built, and nothing else."""
    space = replace(STUDY.space, weight_bits=Integers(4, 5), activation_bits=Integers(4, 5), reuse_factor=1, strategy="latency")
    study = replace(FRONT, space=space)
    found = view(explore(study, Options(root=tmp_path, trials=8, jobs=2, quiet=True)).run)
    assert len(found.standings) == 8
    assert found.unproven == ()
    front = {standing.record.trial for standing in found.front}
    emulated = {s.record.trial for s in found.standings if s.record.measurement("accuracy").source.level == "emulated"}
    assert front == emulated
    assert 0 < len(front) < 8
    assert made(Store(tmp_path)).count("verify") == len(front)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"emulate": "some"}, "emulate must be one of all, front, got 'some'"),
        ({"workload": replace(STUDY.workload, exact=False)}, "which a workload with exact=False need not equal"),
        ({"synthesizer": Vitis()}, "needs one of every design"),
        ({"limits": (Limit("agreement", at_least=1),)}, "agreement is known of emulated designs alone"),
        ({"objectives": (Objective("agreement", "max"),)}, "agreement is known of emulated designs alone"),
    ],
)
def test_what_cannot_be_scored_unemulated_is_refused(changes, words):
    """When the study is made, with the way out."""
    with pytest.raises(UsageError, match=words):
        replace(FRONT, **changes)

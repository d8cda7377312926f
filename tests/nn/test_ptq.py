"""Trained models as they are: read from files of either Keras, quantised without training, exact against their reference."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flow_contract import FlowContract

from dse import Choice, EachLayer, Integers, Pretrained, Profiled, Space, Study, Target, legacy_keras
from dse.errors import DseError, StageFailed, UsageError
from dse.evaluate import evaluate, flow_of, target
from dse.flow import Walk
from dse.nn import emulate, train
from dse.store import Store
from tests.tiny import blobs

ROOT = Path(__file__).parents[2]
#: 8-6-3 with a batch normalisation that hls4ml folds into the layer before, and a softmax at its end.
BUILD = """
import keras, numpy as np
keras.utils.set_random_seed(3)
L = keras.layers
model = keras.Sequential([
    L.Input((8,)), L.Dense(6, name="fc1"), L.BatchNormalization(name="norm"), L.Activation("relu", name="r1"),
    L.Dense(5, activation="relu", name="fc2"), L.Dense(3, activation="softmax", name="out")])
line = np.linspace
model.get_layer("norm").set_weights([line(0.5, 2, 6), line(-1, 1, 6), line(0, 0.3, 6), line(0.4, 2, 6)])
"""


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """The same network, saved by Keras 3 (in a process of its own), by tf_keras, and one of QKeras."""
    folder = tmp_path_factory.mktemp("models")
    script = f"{BUILD}\nmodel.save({str(folder / 'new.keras')!r})\nmodel.save({str(folder / 'new.h5')!r})"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    with legacy_keras.keras_is_tf_keras():
        space: dict = {}
        exec(BUILD.replace("import keras,", "import tf_keras as keras,"), space)
        space["model"].save(folder / "old.h5")
        import tf_keras
        from qkeras import QActivation, QDense, quantized_bits, quantized_relu

        bits = {"kernel_quantizer": quantized_bits(6, 0, alpha=1), "bias_quantizer": quantized_bits(6, 0, alpha=1)}
        first = QActivation(quantized_bits(8, 2, alpha=1), name="q")
        layers = [
            tf_keras.layers.Input((8,)),
            first,
            QDense(6, **bits, name="fc1"),
            QActivation(quantized_relu(6, 2), name="r1"),
        ]
        tf_keras.Sequential([*layers, QDense(3, **bits, name="out")]).save(folder / "typed.h5")
    return folder


def study_of(path, **knobs):
    """A study of a model file on the blobs."""
    space = Space(**{"weight_width": 7, "result_width": Choice(9, 12), **knobs})
    return Study("asis", Pretrained(blobs, path), space, Target("xcu250-figd2104-2L-e"))


def record_of(study, store, **values):
    """The record of the study's first design with these knobs, which must not have failed."""
    space = study.space.resolved(flow_of(study.workload).layers(()))
    first = {name: domain.values[0] for name, domain in space.free.items()}
    record = evaluate(0, space.design({**first, **values}), study, store)
    assert record.failure is None, record.failure
    return record


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store for the tests of this file."""
    found = Store(tmp_path_factory.mktemp("root"))
    found.prepare()
    return found


class TestContract(FlowContract):
    """Of a Keras 3 model without types of its own."""

    @pytest.fixture(scope="class")
    @classmethod
    def study(cls, files):
        """Two designs."""
        return study_of(files / "new.keras")


@pytest.mark.parametrize("name", ["new.keras", "new.h5", "old.h5"])
def test_either_keras_is_quantised_as_asked_and_close_to_its_float_model(files, store, name):
    """Types read back; the folded normalisation's weights are those that are quantised; 12 bits change hardly an answer."""
    study = study_of(files / name, result_width=12, weight_width=12, input_width=14)
    record = record_of(study, store)
    assert record.effective["weight_type.fc1"].startswith("fixed<12,")
    assert record.effective["result_type.r1"].startswith("fixed<12,")
    assert record.effective["result_type.out"].startswith("fixed<12,")
    assert not any("softmax" in key or "norm" in key or "linear" in key for key in record.effective)
    assert record.value("agreement") == 1.0
    assert record.value("agreement_trained") >= 0.95
    assert record.value("difference_trained") < 0.1
    assert record.measurement("accuracy_float").source.tool == ("tf_keras" if name == "old.h5" else "keras")


@pytest.mark.parametrize(("rounding", "saturation"), [("TRN", "WRAP"), ("RND", "SAT"), ("RND_CONV", "WRAP")])
def test_narrow_types_overflow_and_are_cut_exactly_like_the_reference(files, store, rounding, saturation):
    """Two integer bits are too few for these results; what that does is the same in C++ and in float64, on every row."""
    knobs = {"rounding": rounding, "saturation": saturation, "result_integer": 2, "input_width": 6, "input_integer": 3}
    study = study_of(files / "old.h5", result_width=5, weight_width=4, **knobs)
    record = record_of(study, store)
    assert record.value("agreement") == 1.0
    modes = "" if (rounding, saturation) == ("TRN", "WRAP") else f",{rounding},{saturation}"
    assert record.effective["result_type.out"] == f"fixed<5,2{modes}>"
    outputs = emulate.load_outputs(store.path("emulate", record.entries["emulate"]), "validation")
    assert outputs.min() >= -2.0
    assert outputs.max() <= 1.75
    assert record.value("difference_trained") > 0.5


def test_a_qkeras_model_keeps_its_own_types(files, store):
    """No knobs of precision; the emulation is the model's own function."""
    study = study_of(files / "typed.h5", weight_width=None, result_width=None, reuse_factor=Choice(1, 2))
    record = record_of(study, store)
    assert (record.value("agreement"), record.value("agreement_trained")) == (1.0, 1.0)
    assert record.value("difference_trained") == 0.0
    assert record.effective["result_type.r1"] == "ufixed<6,2,RND_CONV,SAT>"
    again = record_of(study, store, reuse_factor=2)
    assert again.entries["emulate"] == record.entries["emulate"]


def test_weights_are_rounded_to_the_nearest_value(files, store):
    """hls4ml would cut them off: the error is at most half a step where nothing saturates, and on both sides."""
    study = study_of(files / "old.h5", result_width=12, weight_width=6, weight_integer=4)
    flow = flow_of(study.workload)
    design = next(study.space.resolved(flow.layers(())).designs())
    network = flow.build(design, target(study, design), Walk(store)).network
    wide = study_of(files / "old.h5", result_width=12, weight_width=24, weight_integer=4)
    design = next(wide.space.resolved(flow.layers(())).designs())
    truth = flow.build(design, target(wide, design), Walk(store)).network
    error = np.concatenate([(network.weights[name] - truth.weights[name]).ravel() for name in truth.weights])
    assert np.abs(error).max() <= 0.125 + 2**-19
    assert error.min() < -0.06 < 0.06 < error.max()


def test_integer_bits_can_be_searched_around_what_the_training_rows_give(files):
    """`Profiled` is each layer's own; a knob that nothing is profiled for has none."""
    layers = flow_of(study_of(files / "old.h5").workload).layers(())
    need = {layer.name: layer.result_integer for layer in layers if layer.activated}
    study = study_of(files / "old.h5", result_integer=Profiled(-1, 1), weight_integer=EachLayer(Integers(1, 2)))
    found = study.space.resolved(layers).domains
    assert set(need) == {"r1", "fc2", "out"}
    for name, bits in need.items():
        assert found[f"result_integer.{name}"].values == (bits - 1, bits, bits + 1)
    with pytest.raises(UsageError, match="nothing is profiled for it"):
        study_of(files / "old.h5", result_width=Profiled(0, 1)).space.resolved(layers)


def test_what_integer_bits_hold_is_what_the_model_gives(files):
    """Recomputed from the model itself: one bit fewer would overflow on a training row."""
    workload = study_of(files / "old.h5").workload
    rows = train.load_split(workload).train.x
    with legacy_keras.keras_is_tf_keras():
        import tf_keras

        model = tf_keras.models.load_model(files / "old.h5", compile=False)
    hidden = np.asarray(tf_keras.Model(model.inputs, model.get_layer("r1").output)(rows))
    bits = next(layer.result_integer for layer in flow_of(workload).layers(()) if layer.name == "r1")
    assert 2.0 ** (bits - 2) <= hidden.max() < 2.0 ** (bits - 1)


def test_the_model_file_is_what_the_study_is_about(files, tmp_path):
    """Another file of the same name is another model; the same bytes elsewhere are the same one."""
    one, two, three = (tmp_path / name for name in ("a.h5", "b.h5", "c.h5"))
    one.write_bytes((files / "old.h5").read_bytes())
    two.write_bytes((files / "old.h5").read_bytes())
    three.write_bytes((files / "typed.h5").read_bytes())
    identities = [flow_of(study_of(path).workload).identity(()) for path in (one, two, three)]
    assert identities[0] == identities[1] != identities[2]


@pytest.mark.parametrize(
    ("name", "knobs", "words"),
    [
        ("typed.h5", {}, "QKeras model with types of its own: leave out weight_width, result_width"),
        ("old.h5", {"weight_width": None}, "the space needs weight_width"),
        ("old.h5", {"weight_width": None, "result_width": None}, "needs weight_width, result_width"),
    ],
)
def test_types_are_asked_for_where_the_model_has_none(files, name, knobs, words):
    """Before the first trial, with the knobs' names."""
    study = study_of(files / name, **knobs)
    with pytest.raises(UsageError, match=words):
        flow_of(study.workload).check(study.space)


def test_distributed_arithmetic_is_refused_where_weights_are_rounded_after_it(files):
    """Before anything is converted: hls4ml's code would hold other weights than the network says."""
    study = study_of(files / "old.h5")
    with pytest.raises(UsageError, match="into the code before they are rounded"):
        flow_of(study.workload).check(replace(study.space, strategy=Choice("latency", "distributed_arithmetic")))


def test_a_model_that_does_not_fit_the_data_is_refused(files, tmp_path):
    """Shapes of both sides; before anything is converted or emulated."""
    with legacy_keras.keras_is_tf_keras():
        import tf_keras

        dense = tf_keras.layers.Dense
        tf_keras.Sequential([tf_keras.layers.Input((7,)), dense(3)]).save(tmp_path / "narrow.h5")
        tf_keras.Sequential([tf_keras.layers.Input((8,)), dense(4)]).save(tmp_path / "four.h5")
        tf_keras.Sequential([tf_keras.layers.Input((8,)), dense(3), tf_keras.layers.UnitNormalization()]).save(
            tmp_path / "odd.h5"
        )
    for name, words in (
        ("narrow.h5", r"shape \(7,\), the data has rows of shape \(8,\)"),
        ("four.h5", r"outputs of shape \(4,\)"),
    ):
        with pytest.raises(DseError, match=words):
            flow_of(study_of(tmp_path / name).workload).layers(())
    with pytest.raises(StageFailed, match=r"(?s)UnitNormalization.*supports .*Dense") as told:
        flow_of(study_of(tmp_path / "odd.h5").workload).layers(())
    assert told.value.kind == "unsupported"
    with pytest.raises(UsageError, match="no such file"):
        flow_of(study_of(tmp_path / "gone.h5").workload).identity(())
    with pytest.raises(UsageError, match="path of a saved model, got 5"):
        replace(study_of("x.h5"), workload=Pretrained(blobs, 5))

"""Trained models as they are, beyond dense classifiers: convolutions, branches, regressions and single logits."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from dse import Choice, Data, EachLayer, Objective, Pretrained, ReuseFactors, Space, Study, Target, legacy_keras
from dse.errors import StageFailed, UsageError
from dse.evaluate import evaluate, flow_of, verify
from dse.legal import illegal
from dse.store import Store
from tests.tiny import blobs

#: 6 x 6 images, zeros around them, a pool, and ReLUs as layers of their own, of which hls4ml makes different things by Keras.
BUILD = """
import keras
keras.utils.set_random_seed(5)
L = keras.layers

def images():
    return keras.Sequential([
        L.Input((6, 6, 1)), L.Conv2D(3, 3, padding="same", name="conv"), L.ReLU(name="relu"), L.MaxPooling2D(2, name="pool"),
        L.Conv2D(4, 2, activation="relu", name="second"), L.Flatten(name="flat"), L.Dense(3, activation="softmax", name="out")])

def branches():
    start = L.Input((8,), name="rows")
    left = L.Dense(4, activation="relu", name="left")(start)
    right = L.ReLU(name="right_relu")(L.Dense(4, name="right")(start))
    both = L.Concatenate(name="both")([L.Add(name="sum")([left, right]), left])
    return keras.Model(start, L.Dense(3, activation="softmax", name="out")(both))

def one():
    return keras.Sequential([
        L.Input((8,)), L.Dense(5, activation="relu", name="fc"), L.Dropout(0.1), L.Dense(1, activation="sigmoid", name="out")])

def values():
    return keras.Sequential([L.Input((8,)), L.Dense(5, activation="relu", name="fc"), L.Dense(1, name="out")])
"""
NAMES = ("images", "branches", "one", "values")


def images():
    """40 images of noise, brighter on the side that their class says."""
    rng = np.random.default_rng(11)
    y = np.arange(120) % 3
    x = rng.normal(size=(120, 6, 6, 1))
    for image, side in zip(x, y, strict=True):
        image[:, 2 * side : 2 * side + 2] += 1
    return Data(x.astype(np.float32), y)


def halves():
    """The blobs as two classes."""
    found = blobs()
    return Data(found.x, (found.y > 0).astype(int))


def sums():
    """A regression: the sum of the blobs' features."""
    found = blobs()
    return Data(found.x, found.x.sum(axis=1), task="regression")


DATA = {"images": images, "branches": blobs, "one": halves, "values": sums}
SCORES = {"images": "accuracy", "branches": "accuracy", "one": "auc", "values": "mse"}


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Each network as Keras 3 saves it (in a process of its own), and as tf_keras does."""
    found = tmp_path_factory.mktemp("models")
    saving = "".join(f"\n{name}().save({str(found / name)!r} + '.keras')" for name in NAMES)
    subprocess.run([sys.executable, "-c", BUILD + saving], check=True, capture_output=True)
    with legacy_keras.keras_is_tf_keras():
        space: dict = {}
        exec(BUILD.replace("import keras", "import tf_keras as keras"), space)
        for name in NAMES:
            space[name]().save(found / f"{name}.h5")
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store for the tests of this file."""
    found = Store(tmp_path_factory.mktemp("root"))
    found.prepare()
    return found


def study_of(path, emulate="front", **knobs):
    """A study of a model file with the data that go with it."""
    name = path.stem
    space = Space(**{"weight_width": 8, "result_width": 12, "input_width": 10, "saturation": "SAT", **knobs})
    objectives = (Objective(SCORES[name]), Objective("lut"))
    workload = Pretrained(DATA[name], path)
    return Study("asis", workload, space, Target("xcu250-figd2104-2L-e"), objectives, emulate=emulate)


def scored(study, store, **values):
    """The record of a design with these knobs, and of its proof where the study asks for one."""
    space = study.space.resolved(flow_of(study.workload).layers(()))
    first = {name: domain.values[0] for name, domain in space.free.items()}
    record = evaluate(0, space.design({**first, **values}), study, store)
    assert record.failure is None, record.failure
    return record


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_model_is_scored_without_being_compiled(folder, store, name, suffix):
    """By its float64 reference, which at these widths says nearly what the float model says."""
    study = study_of(folder / f"{name}.{suffix}", io_type=Choice("io_parallel", "io_stream"))
    for io_type in ("io_parallel", "io_stream"):
        record = scored(study, store, io_type=io_type)
        score, truth = (record.value(found) for found in (SCORES[name], f"{SCORES[name]}_float"))
        assert score == pytest.approx(truth, rel=0.05, abs=0.06)
        assert record.value("lut") > 0
        assert "emulate" not in record.entries


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_what_is_compiled_is_what_was_scored(folder, store, name, io_type):
    """On validation and test rows: the emulation equals the reference, and is close to the float model."""
    study = study_of(folder / f"{name}.keras", io_type=io_type)
    found, failure = verify(scored(study, store), study, store)
    assert failure is None, failure
    values = found[-1].values
    assert (values["agreement"], values["agreement_test"]) == (1.0, 1.0)
    assert values["difference_trained"] < 0.2


def test_streams_and_pixels_of_a_trained_model_are_built_as_asked(folder, store):
    """Depths and parallelism are read back, and a stream of one's own depth computes the same."""
    deep = study_of(folder / "images.keras", emulate="all", io_type="io_stream", fifo_depth=EachLayer(Choice(7, 9)))
    record = scored(deep, store, **{"fifo_depth.conv": 9})
    depths = {name: value for name, value in record.effective.items() if name.startswith("fifo_depth")}
    assert depths["fifo_depth.conv"] == 9
    assert depths["fifo_depth.relu"] == depths["fifo_depth.second"] == 7
    assert record.value("agreement") == 1.0
    wide = study_of(folder / "images.h5", parallelization_factor=EachLayer(Choice(2, 4)))
    record = scored(wide, store, **{"parallelization_factor.conv": 4})
    pixels = {name: value for name, value in record.effective.items() if name.startswith("parallelization_factor")}
    assert pixels == {"parallelization_factor.conv": 4, "parallelization_factor.second": 2}


def test_convolutions_that_hls4ml_computes_wrongly_are_recognised(folder):
    """Parallel, resource strategy, beyond kernel x channels: before anything is built."""
    study = study_of(folder / "images.h5", reuse_factor=EachLayer(ReuseFactors()), strategy="resource")
    flow = flow_of(study.workload)
    layers = flow.layers(())
    factors = study.space.resolved(layers).domains
    assert max(factors["reuse_factor.conv"].values) == 9
    free = study_of(folder / "images.h5", reuse_factor={"conv": 27, "*": 1}, strategy="latency", io_type="io_parallel")
    assert illegal(next(free.space.resolved(layers).designs()), layers) is None
    wrong = study_of(folder / "images.h5", reuse_factor={"conv": 27, "*": 1}, strategy="resource")
    with pytest.raises(UsageError, match="reuse_factor must be one of"):
        wrong.space.resolved(layers)


DROPPED = {
    "dilated": ("L.Input((6, 6, 1)), L.Conv2D(2, 2, dilation_rate=2, name='conv')", "layer conv: dilation_rate \\(2, 2\\)"),
    "capped": ("L.Input((6, 6, 1)), L.Conv2D(2, 3), L.ReLU(max_value=6, name='top')", "layer top: hls4ml drops max_value"),
    "tabled": ("L.Input((6, 6, 1)), L.Conv2D(2, 3, activation='tanh', name='conv')", "no float64 reference of tanh"),
    "padded": ("L.Input((6, 6, 1)), L.MaxPooling2D(4, padding='same', name='pool')", "layer pool: what hls4ml builds of it"),
}


@pytest.mark.parametrize("name", sorted(DROPPED))
def test_what_hls4ml_would_drop_or_compute_otherwise_is_refused_before_the_first_trial(tmp_path, name):
    """With the layer's name."""
    layers, words = DROPPED[name]
    with legacy_keras.keras_is_tf_keras():
        import tf_keras

        found = eval(f"[{layers}]", {"L": tf_keras.layers})
        ending = [tf_keras.layers.Flatten(), tf_keras.layers.Dense(3, name="out")]
        tf_keras.Sequential([*found, *ending]).save(tmp_path / "model.h5")
    space = Space(weight_width=8, result_width=12)
    study = Study("asis", Pretrained(images, tmp_path / "model.h5"), space, Target("xcu250-figd2104-2L-e"))
    with pytest.raises(StageFailed, match=words) as told:
        flow_of(study.workload).layers(())
    assert told.value.kind == "unsupported"

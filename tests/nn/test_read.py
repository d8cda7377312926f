"""Model files of anybody's."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dse import legacy_keras
from dse.design import Hardware, PerLayer
from dse.errors import StageFailed, UsageError
from dse.nn.read import SETTINGS, read, read_project

PART = "xc7z020clg400-1"


def hardware(reuse_factor=1, strategy="latency", io_type="io_parallel"):
    """The same knobs for all layers."""
    return Hardware(PerLayer(reuse_factor), PerLayer(strategy), io_type)


def saved(tmp_path, layers, name="model.h5"):
    """A model of tf_keras, in a file."""
    with legacy_keras.keras_is_tf_keras():
        import tf_keras

        model = tf_keras.Sequential(layers(tf_keras))
        model.save(tmp_path / name)
    return tmp_path / name, model


def mlp(keras):
    """16-8-4 without quantisers."""
    dense = keras.layers.Dense
    return [keras.layers.Input((16,)), dense(8, activation="relu", name="fc1"), dense(4, name="out")]


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_a_plain_model_is_read_with_hls4mls_default_types(tmp_path, name):
    """What hls4ml would build: 16-bit weights, nearest to the float ones, and the knobs that were asked for."""
    path, model = saved(tmp_path, mlp, name)
    found = read(path, hardware(8, "resource"), PART, 7.0)
    assert [layer.kind for layer in found.layers] == ["input", "dense", "relu", "dense"]
    assert (found.part, found.clock_ns, found.io_type) == (PART, 7.0, "io_parallel")
    for layer in found.multipliers:
        assert (layer.strategy, layer.reuse_factor, layer.weight_type.width) == ("resource", 8, 16)
        kernel = model.get_layer(layer.name).get_weights()[0]
        assert np.abs(found.weights[f"{layer.name}/weight"] - kernel).max() <= layer.weight_type.step


def test_a_qkeras_model_keeps_its_types(tmp_path):
    """quantized_bits(6, 0) is fixed<6,1>; the types between layers follow from the values."""

    def layers(keras):
        from qkeras import QActivation, QDense, quantized_bits, quantized_relu

        bits = quantized_bits(6, 0, alpha=1)
        dense = QDense(8, kernel_quantizer=bits, bias_quantizer=bits, name="fc1")
        first = QActivation(quantized_bits(10, 0, alpha=1), name="q")
        return [keras.layers.Input((16,)), first, dense, QActivation(quantized_relu(6), name="r1")]

    path, _ = saved(tmp_path, layers)
    found = read(path, hardware(), PART, 5.0)
    assert str(found.layer("fc1").weight_type) == "fixed<6,1>"
    assert str(found.layer("r1").result_type).startswith("ufixed<6,0")


def test_a_model_of_keras_3_is_read_in_a_process_of_its_own(tmp_path):
    """Its file states the version; Keras 3 must not be loaded where tf_keras stands for it."""
    make = (
        "import keras; m = keras.Sequential([keras.layers.Input((16,)), keras.layers.Dense(8, name='fc1')]);"
        f"m.save({str(tmp_path / 'new.keras')!r})"
    )
    ask = (
        "from pathlib import Path; from dse.nn.read import read; from dse.design import Hardware;"
        f"print([layer.kind for layer in read(Path({str(tmp_path / 'new.keras')!r}), Hardware(), {PART!r}, 5.0).layers])"
    )
    for script in (make, ask):
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip().endswith("['input', 'dense']")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project as a user of hls4ml alone writes it: one layer slower than the other, another part and clock."""
    folder = tmp_path_factory.mktemp("written") / "prj"
    with legacy_keras.keras_is_tf_keras():
        import hls4ml
        import tf_keras

        model = tf_keras.Sequential(mlp(tf_keras))
        config = hls4ml.utils.config_from_keras_model(model, granularity="name", backend="Vitis")
        config["Model"]["Strategy"] = "Resource"
        config["LayerName"]["fc1"] |= {"ReuseFactor": 8}
        config["LayerName"]["fc1"]["Precision"]["weight"] = "fixed<9,2>"
        settings = {"backend": "Vitis", "part": PART, "clock_period": 8, "output_dir": str(folder)}
        hls4ml.converters.convert_from_keras_model(model, hls_config=config, **settings).write()
    return folder


def test_a_project_of_hls4mls_is_read_as_it_is_set(project, tmp_path):
    """Part, clock, reuse factors and types are the project's; it may have been moved; what is asked for goes over them."""
    moved = tmp_path / "elsewhere"
    shutil.copytree(project, moved)
    found = read_project(moved, {})
    assert (found.part, found.clock_ns, found.io_type, found.backend) == (PART, 8.0, "io_parallel", "Vitis")
    assert [(layer.strategy, layer.reuse_factor) for layer in found.multipliers] == [("resource", 8), ("resource", 1)]
    assert str(found.layer("fc1").weight_type) == "fixed<9,2>"
    other = read_project(moved, {"clock_ns": 4.0, "io_type": "io_stream", "reuse_factor": 2, "strategy": "latency"})
    assert (other.clock_ns, other.io_type) == (4.0, "io_stream")
    assert [(layer.strategy, layer.reuse_factor) for layer in other.multipliers] == [("latency", 2)] * 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Backend: [", "no settings of hls4ml"),
        ("Backend: Vitis", "no IOType, Part, ClockPeriod, HLSConfig; a project"),
        ("a poem", "no Backend, IOType, Part, ClockPeriod, HLSConfig"),
        (
            "{Backend: Vitis, IOType: io_parallel, Part: p, ClockPeriod: 5, HLSConfig: {Model: {}}, OnnxModel: m}",
            "no KerasModel",
        ),
    ],
)
def test_a_project_that_lacks_its_settings_is_refused(tmp_path, text, said):
    """Named by its file, before anything is loaded."""
    (tmp_path / SETTINGS).write_text(text)
    with pytest.raises(UsageError, match=said) as caught:
        read_project(tmp_path, {})
    assert SETTINGS in str(caught.value)


def test_a_project_without_its_model_names_the_file(project, tmp_path):
    """The settings alone are not enough."""
    shutil.copy(project / SETTINGS, tmp_path)
    text = (tmp_path / SETTINGS).read_text().replace(str(project), "/gone")
    (tmp_path / SETTINGS).write_text(text)
    with pytest.raises(UsageError, match=r"keras_model\.keras: no such file"):
        read_project(tmp_path, {})


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_a_file_that_is_no_model_is_refused(tmp_path, name):
    """Named with what to do, before any library stumbles over it."""
    (tmp_path / name).write_text("no model")
    with pytest.raises(UsageError, match="not a readable Keras model"):
        read(tmp_path / name, hardware(), PART, 5.0)


def test_weights_alone_are_no_model(tmp_path):
    """`save_weights` writes no architecture."""
    with legacy_keras.keras_is_tf_keras():
        import tf_keras

        tf_keras.Sequential(mlp(tf_keras)).save_weights(tmp_path / "w.h5")
    with pytest.raises(UsageError, match=r"tf_keras cannot load it|no Keras version inside"):
        read(tmp_path / "w.h5", hardware(), PART, 5.0)


def test_a_layer_that_hls4ml_does_not_know_is_unsupported(tmp_path):
    """A typed failure with hls4ml's words."""

    def layers(keras):
        return [keras.layers.Input((16,)), keras.layers.Dense(8), keras.layers.UnitNormalization()]

    path, _ = saved(tmp_path, layers)
    with pytest.raises(StageFailed, match="hls4ml") as caught:
        read(path, hardware(), PART, 5.0)
    assert caught.value.kind == "unsupported"


def test_tensorflow_is_imported_without_a_word_and_errors_are_heard_afterwards():
    """What its libraries print at import is no news to somebody who asked for an estimate."""
    code = "import sys\nfrom dse import legacy_keras\nwith legacy_keras.keras_is_tf_keras(): print('heard', file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "heard\n"

"""Converted networks shared by the tests of one process: building and compiling is what takes time."""

import numpy as np
import pytest

from dse.design import build
from dse.fixed import Quantizer
from dse.network import Network
from dse.nn import convert, emulate, graph

PART = "xcu250-figd2104-2L-e"
ROWS = np.random.default_rng(3).uniform(-1.2, 1.2, size=(200, 16))


def hardware(reuse_factor=1, strategy="latency", io_type="io_parallel"):
    """Hardware knobs of a design."""
    knobs = {"weight_bits": 6, "activation_bits": 6, "strategy": strategy, "io_type": io_type}
    factors = reuse_factor if isinstance(reuse_factor, dict) else {"*": reuse_factor}
    knobs |= {"reuse_factor" if name == "*" else f"reuse_factor.{name}": factor for name, factor in factors.items()}
    return build(knobs).hardware


def mlp(weights=6, activations=6, last=None):
    """A QKeras MLP 16-12-4 with random weights and mixed integer bits; its first layer is half zeros."""
    import tf_keras

    tf_keras.utils.set_random_seed(1)
    float_model = tf_keras.Sequential(
        [
            tf_keras.layers.Input((16,)),
            tf_keras.layers.Dense(12, activation="relu", name="fc1"),
            tf_keras.layers.Dense(4, name="out", bias_initializer="random_normal"),
        ]
    )
    quantizers = graph.Quantizers(
        {"fc1": Quantizer(weights, 0), "out": Quantizer(last or weights, 1)},
        {"fc1": Quantizer(weights, 0), "out": Quantizer(weights, 0)},
        {graph.INPUT_QUANTIZER: Quantizer(8, 1), "fc1": Quantizer(activations, 1, signed=False)},
    )
    model = graph.quantised(graph.nodes(float_model), quantizers)
    for layer in ("fc1", "out"):
        arrays = float_model.get_layer(layer).get_weights()
        if layer == "fc1":
            arrays[0][:8] = 0
        model.get_layer(layer).set_weights(arrays)
    return model, quantizers


def cnn():
    """A QKeras CNN on 6 x 6 x 2 images: one 3 x 3 convolution to 4 channels, ReLU, dense to 3."""
    import tf_keras
    from qkeras import QActivation, QConv2D, QDense, quantized_bits, quantized_relu

    tf_keras.utils.set_random_seed(2)
    x = tf_keras.layers.Input((6, 6, 2), name="image")
    h = QActivation(quantized_bits(8, 1, alpha=1), name="image_quantized")(x)
    bits = lambda: quantized_bits(6, 0, alpha=1)  # noqa: E731
    h = QConv2D(4, 3, kernel_quantizer=bits(), bias_quantizer=bits(), name="conv")(h)
    h = QActivation(quantized_relu(6, 1), name="conv_relu")(h)
    h = tf_keras.layers.Flatten(name="flat")(h)
    return tf_keras.Model(x, QDense(3, kernel_quantizer=bits(), bias_quantizer=bits(), name="out")(h))


class Built:
    """A converted project, its network and its emulated outputs for some rows."""

    def __init__(self, model, knobs, rows, folder, cache):
        folder.mkdir()
        self.told = convert.convert(model, knobs, PART, 5.0, folder)
        self.project = folder / "project"
        self.network = Network.load(folder)
        self.library = emulate.build(self.project, cache, folder / "compile.log")
        self.outputs = emulate.predict(self.library, self.network, self.project, rows)


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A function that converts and compiles a model once per distinct name."""
    home = tmp_path_factory.mktemp("built")
    found = {}

    def make(name, model, knobs, rows):
        if name not in found:
            found[name] = Built(model, knobs, rows, home / name, home / "libraries")
        return found[name]

    return make

"""A blueprint is read by hls4ml as the QKeras model that it stands for, and foreseeing makes the network of a conversion."""

import json
import random

import numpy as np
import pytest

from dse.design import build
from dse.errors import StageFailed
from dse.fixed import TERNARY_WEIGHTS, Quantizer
from dse.network import Network
from dse.nn import blueprint, convert, graph, train
from dse.workload import Data, Workload
from tests.nn.conftest import PART


def rows():
    """Thirty rows of 8 numbers in 3 classes."""
    draw = np.random.default_rng(0)
    return Data(draw.normal(size=(30, 8)), np.repeat(np.arange(3), 10))


def mlp(width):
    """Layers with and without a bias, a ReLU of its own, dropout and a reshape on the way."""
    from tf_keras import Sequential, layers

    return Sequential(
        [
            layers.Input((8,)),
            layers.Dense(width, use_bias=False, name="fc1"),
            layers.ReLU(name="act"),
            layers.Dropout(0.1, name="drop"),
            layers.Reshape((2, width // 2), name="fold"),
            layers.Flatten(name="flat"),
            layers.Dense(6, activation="relu", kernel_regularizer="l2", name="fc2"),
            layers.Dense(3, name="out"),
        ]
    )


def images():
    """Thirty images of 6 x 6 pixels in 3 classes."""
    draw = np.random.default_rng(0)
    return Data(draw.normal(size=(30, 6, 6, 1)), np.repeat(np.arange(3), 10))


def cnn(width):
    """Convolutions, one of them depthwise, a folded normalisation, a branch that is added, pooling."""
    from tf_keras import Model, layers

    x = layers.Input((6, 6, 1), name="image")
    h = layers.Conv2D(width, 3, padding="same", use_bias=False, name="conv1")(x)
    h = layers.BatchNormalization(name="norm")(h)
    h = one = layers.ReLU(name="act1")(h)
    h = layers.DepthwiseConv2D(3, padding="same", activation="relu", name="depth")(h)
    h = layers.Add(name="sum")([h, one])
    h = layers.MaxPooling2D(2, name="pool")(h)
    h = layers.Flatten(name="flat")(h)
    return Model(x, layers.Dense(3, name="out")(h))


WORKLOADS = {"mlp": Workload(rows, mlp), "cnn": Workload(images, cnn)}


def drawn(dice, kind="mlp"):
    """A design at random: its architecture, quantisers, weights, hardware knobs and QKeras model."""
    architecture = (("width", dice.choice((4, 8))),)
    nodes = graph.nodes(train.build(WORKLOADS[kind], architecture))
    wide = lambda signed=True: Quantizer(dice.randint(2, 14), dice.randint(0, 2), signed)  # noqa: E731
    quantizers = graph.Quantizers(
        {node.name: TERNARY_WEIGHTS if dice.random() < 0.3 else wide() for node in nodes if node.weighted},
        {node.name: wide() for node in nodes if node.weighted and node.use_bias},
        {graph.INPUT_QUANTIZER: wide(), **{node.name: wide(False) for node in nodes if node.activated}},
    )
    model = graph.quantised(nodes, quantizers)
    draw = np.random.default_rng(dice.randrange(2**32))
    kept = dice.choice((1.0, 0.4, 0.05))
    weights = {}
    for name in quantizers.weights:
        shapes = [array.shape for array in model.get_layer(name).get_weights()]
        weights[name] = [(draw.normal(size=s, scale=0.5) * (draw.random(s) < kept)).astype(np.float32) for s in shapes]
        model.get_layer(name).set_weights(weights[name])
    knobs = {"weight_bits": 6, "activation_bits": 6, "reuse_factor": dice.choice((1, 2))}
    knobs |= {"strategy": dice.choice(("latency", "resource")), "io_type": dice.choice(("io_parallel", "io_stream"))}
    return blueprint.blueprint(WORKLOADS[kind], architecture, quantizers, weights), model, build(knobs).hardware


def bare(description):
    """A description without QKeras' constraints, which follow the quantisers and which hls4ml does not read."""
    if isinstance(description, dict):
        return {name: bare(value) for name, value in description.items() if not name.endswith("_constraint")}
    return [bare(value) for value in description] if isinstance(description, list) else description


@pytest.mark.parametrize("kind", WORKLOADS)
def test_a_blueprint_says_what_its_keras_model_says(kind):
    """The same description, layers, names and arrays."""
    drawing, model, _ = drawn(random.Random(5), kind)
    assert bare(json.loads(drawing.to_json())) == bare(json.loads(model.to_json()))
    for layer in model.layers:
        there = drawing.get_layer(layer.name)
        assert [w.name for w in there.weights] == [w.name for w in layer.weights]
        assert all(np.array_equal(a, b) for a, b in zip(there.get_weights(), layer.get_weights(), strict=True))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", WORKLOADS)
def test_what_is_foreseen_is_what_hls4ml_then_builds(tmp_path, kind, seed):
    """Types, weights, knobs: the digest of the foreseen network is that of the written project's, whatever the design."""
    drawing, model, hardware = drawn(random.Random(seed), kind)
    foreseen = convert.foresee(drawing, hardware, PART, 5.0)
    convert.convert(model, hardware, PART, 5.0, tmp_path)
    built = Network.load(tmp_path)
    assert foreseen.layers == built.layers
    assert foreseen.digest == built.digest


def test_foreseeing_writes_nothing(tmp_path, monkeypatch):
    """No project, no file, wherever it is called from."""
    monkeypatch.chdir(tmp_path)
    drawing, _, hardware = drawn(random.Random(1))
    convert.foresee(drawing, hardware, PART, 5.0)
    assert list(tmp_path.iterdir()) == []


def test_what_hls4ml_refuses_is_refused_when_foreseen():
    """The same typed failure as of a conversion."""
    drawing, _, hardware = drawn(random.Random(1))
    drawing.description["config"]["layers"][1]["class_name"] = "Nonsense"
    with pytest.raises(StageFailed, match="Unsupported layer type: Nonsense") as caught:
        convert.foresee(drawing, hardware, PART, 5.0)
    assert caught.value.kind == "unsupported"

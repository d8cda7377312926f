"""A blueprint is read by hls4ml as the QKeras model that it stands for, and foreseeing makes the network of a conversion."""

import json
import random

import numpy as np
import pytest

from dse.design import build
from dse.errors import StageFailed
from dse.fixed import Quantizer
from dse.network import Network
from dse.nn import blueprint, convert, graph, train
from dse.workload import Data, Workload
from tests.nn.conftest import PART


def rows():
    """Twenty rows of 8 numbers in 3 classes."""
    draw = np.random.default_rng(0)
    return Data(draw.normal(size=(30, 8)), np.repeat(np.arange(3), 10))


def mlp(width):
    """Two layers with and without a bias, a ReLU of its own, dropout and a reshape on the way."""
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


WORKLOAD = Workload(rows, mlp)


def drawn(dice):
    """A design's architecture, quantisers, weights and hardware knobs, at random."""
    width = dice.choice((4, 8))
    wide = lambda signed=True: Quantizer(dice.randint(2, 14), dice.randint(0, 2), signed)  # noqa: E731
    quantizers = graph.Quantizers(
        {name: wide() for name in ("fc1", "fc2", "out")},
        {name: wide() for name in ("fc2", "out")},
        {graph.INPUT_QUANTIZER: Quantizer(dice.randint(3, 16), dice.randint(0, 2)), "act": wide(False), "fc2": wide(False)},
    )
    draw = np.random.default_rng(dice.randrange(2**32))
    shapes = {"fc1": [(8, width)], "fc2": [(width, 6), (6,)], "out": [(6, 3), (3,)]}
    weights = {name: [draw.normal(size=s, scale=0.5).astype(np.float32) for s in every] for name, every in shapes.items()}
    weights["fc1"][0][draw.random((8, width)) < dice.choice((0.0, 0.6, 0.95))] = 0
    strategy = dice.choice(("latency", "resource"))
    knobs = {"weight_bits": 6, "activation_bits": 6, "strategy": strategy, "io_type": dice.choice(("io_parallel", "io_stream"))}
    return (("width", width),), quantizers, weights, build({**knobs, "reuse_factor": dice.choice((1, 2))}).hardware


def keras_model(architecture, quantizers, weights):
    """The QKeras model itself."""
    model = graph.quantised(graph.nodes(train.build(WORKLOAD, architecture)), quantizers)
    for name, arrays in weights.items():
        model.get_layer(name).set_weights(arrays)
    return model


def bare(description):
    """A description without QKeras' constraints, which follow the quantisers and which hls4ml does not read."""
    if isinstance(description, dict):
        return {name: bare(value) for name, value in description.items() if not name.endswith("_constraint")}
    return [bare(value) for value in description] if isinstance(description, list) else description


def test_a_blueprint_says_what_its_keras_model_says():
    """The same description, layers, names and arrays."""
    architecture, quantizers, weights, _ = drawn(random.Random(5))
    model = keras_model(architecture, quantizers, weights)
    drawing = blueprint.blueprint(WORKLOAD, architecture, quantizers, weights)
    assert bare(json.loads(drawing.to_json())) == bare(json.loads(model.to_json()))
    for layer in model.layers:
        there = drawing.get_layer(layer.name)
        assert [w.name for w in there.weights] == [w.name for w in layer.weights]
        assert all(np.array_equal(a, b) for a, b in zip(there.get_weights(), layer.get_weights(), strict=True))


@pytest.mark.parametrize("seed", range(12))
def test_what_is_foreseen_is_what_hls4ml_then_builds(tmp_path, seed):
    """Types, weights, knobs: the digest of the foreseen network is that of the written project's, whatever the design."""
    architecture, quantizers, weights, hardware = drawn(random.Random(seed))
    foreseen = convert.foresee(blueprint.blueprint(WORKLOAD, architecture, quantizers, weights), hardware, PART, 5.0)
    convert.convert(keras_model(architecture, quantizers, weights), hardware, PART, 5.0, tmp_path)
    built = Network.load(tmp_path)
    assert foreseen.layers == built.layers
    assert foreseen.digest == built.digest


def test_foreseeing_writes_nothing(tmp_path, monkeypatch):
    """No project, no file, wherever it is called from."""
    monkeypatch.chdir(tmp_path)
    architecture, quantizers, weights, hardware = drawn(random.Random(1))
    convert.foresee(blueprint.blueprint(WORKLOAD, architecture, quantizers, weights), hardware, PART, 5.0)
    assert list(tmp_path.iterdir()) == []


def test_what_hls4ml_refuses_is_refused_when_foreseen():
    """The same typed failure as of a conversion."""
    architecture, quantizers, weights, hardware = drawn(random.Random(1))
    drawing = blueprint.blueprint(WORKLOAD, architecture, quantizers, weights)
    drawing.description["config"]["layers"][1]["class_name"] = "Nonsense"
    with pytest.raises(StageFailed, match="Unsupported layer type: Nonsense") as caught:
        convert.foresee(drawing, hardware, PART, 5.0)
    assert caught.value.kind == "unsupported"

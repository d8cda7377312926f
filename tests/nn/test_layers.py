"""Every kind of layer: compiled emulation, float64 reference and QKeras' own forward pass against one another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dse import legacy_keras  # noqa: F401 - before tensorflow
from dse.design import build, per_layer
from dse.errors import StageFailed
from dse.fixed import TERNARY_WEIGHTS, fit_quantizer
from dse.nn import convert, emulate, graph
from dse.nn.reference import reference
from dse.synth.estimate import Estimate

from .conftest import hardware


def sequential(shape, *layers):
    """A float model of these layers."""
    import tf_keras

    return tf_keras.Sequential([tf_keras.layers.Input(shape), *layers])


def image():
    """2D: odd sizes, strides, both paddings, kernels of size 1, depthwise, pools that leave pixels over, both pools."""
    from tf_keras import layers

    return sequential(
        (13, 11, 2),
        layers.Conv2D(3, 3, strides=(2, 1), padding="same", name="c1"),
        layers.BatchNormalization(name="n1"),
        layers.Activation("relu", name="a1"),
        layers.DepthwiseConv2D((2, 3), activation="relu", name="c2"),
        layers.MaxPooling2D(2, name="largest"),
        layers.Conv2D(4, 1, use_bias=False, activation="relu", name="c3"),
        layers.AveragePooling2D((1, 2), name="mean"),
        layers.Dropout(0.3, name="drop"),
        layers.Flatten(name="flat"),
        layers.Dense(3, name="out"),
        layers.BatchNormalization(name="n2"),
    )


def branches():
    """A residual: addition, concatenation, a pool of what is linear, the mean of all pixels."""
    import tf_keras
    from tf_keras import layers

    x = layers.Input((8, 8, 2), name="image")
    first = layers.Conv2D(3, 3, padding="same", activation="relu", name="c1")(x)
    second = layers.Conv2D(3, 3, padding="same", use_bias=False, name="c2")(first)
    normal = layers.BatchNormalization(name="n2")(second)
    h = layers.ReLU(name="sum_relu")(layers.Add(name="sum")([first, normal]))
    side = layers.Conv2D(2, 1, activation="relu", name="c3")(h)
    h = layers.Conv2D(4, 1, name="c4")(layers.Concatenate(axis=3, name="both")([h, side]))
    h = layers.ReLU(name="r4")(layers.MaxPooling2D(2, name="largest")(h))
    return tf_keras.Model(x, layers.Dense(3, name="out")(layers.GlobalAveragePooling2D(name="mean")(h)))


def sequence():
    """1D: out of a dense layer by a reshape, strides, both paddings, both pools, the largest of all."""
    from tf_keras import layers

    return sequential(
        (9,),
        layers.Dense(26, activation="relu", name="fc"),
        layers.Reshape((13, 2), name="rows"),
        layers.Conv1D(3, 3, padding="same", activation="relu", name="c1"),
        layers.MaxPooling1D(2, name="largest"),
        layers.Conv1D(4, 2, strides=2, activation="relu", name="c2"),
        layers.Conv1D(3, 1, activation="relu", name="c3"),
        layers.GlobalMaxPooling1D(name="all"),
        layers.Dense(3, name="out"),
    )


MODELS = {"image": image, "branches": branches, "sequence": sequence}


def quantised(model, rows, bits=5, *, ternary=False):
    """The QKeras model with drawn biases and normalisations, its weights folded in, and its quantisers."""
    draw = np.random.default_rng(4)
    for layer in model.layers:
        arrays = [draw.uniform(0.1, 0.9, size=a.shape) if a.ndim == 1 else a for a in layer.get_weights()]
        layer.set_weights(arrays)
    nodes = graph.nodes(model)
    weighted = [(node, node.weights()) for node in nodes if node.weighted]
    quantizers = graph.Quantizers(
        {n.name: TERNARY_WEIGHTS if ternary else fit_quantizer(arrays[0], bits, signed=True) for n, arrays in weighted},
        {node.name: fit_quantizer(arrays[1], bits, signed=True) for node, arrays in weighted if node.use_bias},
        {
            graph.INPUT_QUANTIZER: fit_quantizer(rows, 8, signed=True),
            **{name: fit_quantizer(v, bits, signed=False) for name, v in graph.float_activations(model, nodes, rows).items()},
        },
    )
    small = graph.quantised(nodes, quantizers)
    for node, arrays in weighted:
        small.get_layer(node.name).set_weights([arrays[0] * (3 if ternary else 1), *arrays[1:]])
    return small, quantizers


@pytest.fixture(scope="module")
def small():
    """The quantised model, its quantisers and rows, by name, made once."""
    import tf_keras

    found = {}

    def make(name, *, ternary=False):
        if (name, ternary) not in found:
            tf_keras.utils.set_random_seed(1)
            model = MODELS[name]()
            rows = np.random.default_rng(5).uniform(-1, 1, size=(40, *model.input_shape[1:])).astype(np.float32)
            found[name, ternary] = (*quantised(model, rows, ternary=ternary), rows)
        return found[name, ternary]

    return make


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
@pytest.mark.parametrize("name", list(MODELS))
def test_layers_are_built_exactly_as_qkeras_computes_them(built, small, name, io_type):
    """Rows of the compiled emulation equal the reference and QKeras bit for bit; what was asked for is read back; and every
    layer has a figure of what it costs.
    """
    model, quantizers, rows = small(name)
    knobs = hardware(io_type=io_type)
    found = built(f"{name}-{io_type}", model, knobs, rows)
    convert.check(found.network, knobs, quantizers, convert.quantised_weights(model, quantizers))
    qkeras = np.asarray(model(rows, training=False), dtype=np.float64)
    assert len(np.unique(qkeras, axis=0)) > 20
    assert np.array_equal(reference(found.network, rows), found.outputs)
    assert np.array_equal(found.outputs, qkeras)
    costs = Estimate().estimate(found.network).layers
    assert set(costs) == {layer.name for layer in found.network.layers}
    assert all(costs[layer.name]["lut"] > 0 for layer in found.network.multipliers)


@pytest.mark.slow
@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
@pytest.mark.parametrize("name", list(MODELS))
def test_layers_with_ternary_weights_are_built_exactly(built, small, name, io_type):
    """The same for weights of -1, 0 and 1, which take no multiplier."""
    model, quantizers, rows = small(name, ternary=True)
    knobs = hardware(io_type=io_type)
    found = built(f"{name}-{io_type}-ternary", model, knobs, rows)
    convert.check(found.network, knobs, quantizers, convert.quantised_weights(model, quantizers))
    weights = [found.network.weights[f"{layer}/weight"].ravel() for layer in quantizers.weights]
    assert set(np.concatenate(weights).tolist()) == {-1, 0, 1}
    assert np.array_equal(reference(found.network, rows), found.outputs)
    assert np.array_equal(found.outputs, np.asarray(model(rows, training=False), dtype=np.float64))
    assert len(np.unique(found.outputs, axis=0)) > 5
    assert sum(cost["dsp"] for cost in Estimate().estimate(found.network).layers.values()) == 0


@pytest.mark.parametrize("name", ["image", "sequence", pytest.param("branches", marks=pytest.mark.slow)])
def test_layers_are_unrolled_exactly_as_they_are_emulated(built, small, name):
    """Open synthesis' adder graph against the compiled emulation: both convolutions, depthwise, paddings, strides, both pools
    and both pools of everything, additions, concatenations, reshapes, normalisations that are folded in.
    """
    pytest.importorskip("alkaid")
    from dse.synth.open import evaluated
    from dse.synth.open.refuse import refuse
    from dse.synth.open.unroll import unroll

    model, _, rows = small(name)
    found = built(f"{name}-io_parallel", model, hardware(), rows)
    refuse(found.network, 10**6)
    assert np.array_equal(evaluated(found.network, unroll(found.network), rows.reshape(len(rows), -1)), found.outputs)


@pytest.mark.slow
@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_convolutions_along_one_axis_do_not_depend_on_hardware_knobs(built, small, io_type):
    """Conv1D by the resource strategy, reuse factors up to the kernel's size: the outputs of the latency strategy."""
    model, _, rows = small("sequence")
    first = built("sequence-io_parallel", model, hardware(), rows)
    knobs = hardware({"fc": 3, "c1": 6, "c2": 2, "c3": 4, "out": 3}, "resource", io_type)
    other = built(f"sequence-resource-{io_type}", model, knobs, rows)
    assert {layer.reuse_factor for layer in other.network.multipliers} == {2, 3, 4, 6}
    assert np.array_equal(first.outputs, other.outputs)
    assert emulate.shareable(other.network)


@pytest.mark.parametrize("name", list(MODELS))
def test_folded_normalisations_compute_what_keras_computes(name):
    """With quantisers of 24 bits, the quantised model's outputs are those of the float model."""
    import tf_keras

    tf_keras.utils.set_random_seed(1)
    model = MODELS[name]()
    rows = np.random.default_rng(5).uniform(-1, 1, size=(20, *model.input_shape[1:])).astype(np.float32)
    wide, _ = quantised(model, rows, bits=24)
    exact = np.asarray(model((np.round(rows * 128) / 128).astype(np.float32), training=False))
    assert np.abs(np.asarray(wide(rows, training=False)) - exact).max() < 1e-3 * np.abs(exact).max()


def knobs_of(**values):
    """Hardware knobs by flat name; a double underscore stands for the dot."""
    flat = {name.replace("__", "."): value for name, value in values.items()}
    return build({"weight_bits": 5, "activation_bits": 5, **flat}).hardware


def test_pixels_at_once_change_no_output(built, small):
    """`parallelization_factor` is read back per layer and shared emulations stay shared, in both strategies."""
    model, quantizers, rows = small("branches")
    first = built("branches-io_parallel", model, hardware(), rows)
    knobs = knobs_of(parallelization_factor__c1=4, parallelization_factor=2, strategy="resource", reuse_factor=3)
    knobs = replace(knobs, reuse_factor=per_layer({"c1": 18, "c2": 9, "c3": 3, "c4": 5, "out": 4}))
    other = built("branches-pixels", model, knobs, rows)
    convert.check(other.network, knobs, quantizers, convert.quantised_weights(model, quantizers))
    assert other.network.layer("c1").attributes["parallelization_factor"] == 4
    assert other.network.layer("c2").attributes["parallelization_factor"] == 2
    assert np.array_equal(first.outputs, other.outputs)
    assert emulate.shareable(other.network)
    assert first.network.function_digest == other.network.function_digest


def test_depths_of_streams_are_built_and_change_no_output(built, small):
    """In the generated code, per layer and for all others; ports keep theirs."""
    model, quantizers, rows = small("branches")
    first = built("branches-io_stream", model, hardware(io_type="io_stream"), rows)
    knobs = knobs_of(io_type="io_stream", fifo_depth=7, fifo_depth__c1=11)
    other = built("branches-depths", model, knobs, rows)
    convert.check(other.network, knobs, quantizers, convert.quantised_weights(model, quantizers))
    code = (other.project / "firmware/myproject.cpp").read_text()
    assert (code.count("depth=11"), code.count("depth=7") > 8) == (4, True)  # the convolution, its relu, two copies
    assert "depth=64" not in code
    assert "depth=64" in (first.project / "firmware/myproject.cpp").read_text()
    assert np.array_equal(first.outputs, other.outputs)
    assert first.network.function_digest == other.network.function_digest
    asked = knobs_of(io_type="io_stream", fifo_depth=5, fifo_depth__c1=11)
    with pytest.raises(StageFailed, match="fifo_depth 5 was asked for, hls4ml builds 7"):
        convert.check(other.network, asked, quantizers, convert.quantised_weights(model, quantizers))


def refused(*layers, shape=(8, 8, 2)):
    """The reason why a model of these layers is refused."""
    with pytest.raises(StageFailed) as caught:
        graph.nodes(sequential(shape, *layers))
    assert caught.value.kind == "unsupported"
    return caught.value.message


def test_what_cannot_be_built_exactly_is_refused_by_name():
    """Each with the layer's name, the reason and what to do instead."""
    from tf_keras import layers

    assert "dilation" in refused(layers.Conv2D(2, 3, dilation_rate=2, name="wide"))
    assert "groups" in refused(layers.Conv2D(2, 3, groups=2, name="grouped"))
    assert "depth_multiplier" in refused(layers.DepthwiseConv2D(2, depth_multiplier=2, name="many"))
    assert "max_value" in refused(layers.ReLU(max_value=6, name="six"))
    assert "mean of 9" in refused(layers.AveragePooling2D(3, name="nine"))
    assert "mean of 36" in refused(layers.GlobalAveragePooling2D(name="all"), shape=(6, 6, 2))
    assert "overlap" in refused(layers.MaxPooling2D(3, strides=2, name="overlapping"))
    assert "pads" in refused(layers.MaxPooling2D(3, padding="same", name="padded"))
    assert 'padding="same"' in refused(layers.ZeroPadding2D(1, name="zeros"))
    assert "flatten" in refused(layers.Dense(3, name="pixels"))
    assert "channels" in refused(layers.MaxPooling2D(2, data_format="channels_first", name="first"))
    assert "two different layers" in refused_merge(3)
    message = refused(layers.UnitNormalization(name="unit"))
    assert message.startswith("layer unit is a UnitNormalization;")
    assert "Conv2D" in message


def refused_merge(count):
    """Why an addition of this many layers is refused."""
    import tf_keras
    from tf_keras import layers

    x = layers.Input((4,))
    with pytest.raises(StageFailed) as caught:
        graph.nodes(tf_keras.Model(x, layers.Add(name="sum")([layers.Dense(3, name=f"d{i}")(x) for i in range(count)])))
    return caught.value.message


def test_a_normalisation_that_cannot_be_folded_is_refused():
    """After a relu or at the input there is no linear layer that could take it in."""
    from tf_keras import layers

    after = refused(layers.Conv2D(2, 3, activation="relu", name="conv"), layers.BatchNormalization(name="norm"))
    assert "conv is a Conv2D with relu" in after
    assert "inputs is a InputLayer" in refused(layers.BatchNormalization(name="norm"))

"""Figures without a tool."""

import numpy as np
import pytest

from dse.errors import StageFailed
from dse.metrics import Measurement
from dse.network import FixedType, Layer, Network
from dse.synth import Synthesizer
from dse.synth.estimate import Estimate
from dse.synth.estimate.product import weights_of

WIDE = FixedType(16, 6)
NARROW = FixedType(8, 1)


def dense(name, source, n_in, n_out, *, strategy="latency", reuse_factor=1):
    """A dense layer with 8-bit weights."""
    return Layer(
        name=name,
        kind="dense",
        inputs=(source,),
        input_shape=(n_in,),
        output_shape=(n_out,),
        result_type=WIDE,
        weight_type=NARROW,
        bias_type=NARROW,
        accumulator_type=WIDE,
        strategy=strategy,
        reuse_factor=reuse_factor,
        attributes={"n_in": n_in, "n_out": n_out},
    )


def network(*layers, weights=None, **changes):
    """A network from an input of 16 values through `layers`, with seeded weights where none are given."""
    generator = np.random.default_rng(0)
    first = Layer("x", "input", (), (16,), (16,), WIDE)
    found = {
        f"{layer.name}/weight": np.rint(generator.normal(size=(layer.n_in, layer.n_out)) * 20).clip(-128, 127) / 128
        for layer in layers
        if layer.kind == "dense"
    }
    settings = {"io_type": "io_parallel", "part": "xcu250-figd2104-2L-e", "clock_ns": 5.0, "backend": "Vitis"}
    return Network(
        layers=(first, *layers),
        outputs=(layers[-1].name,),
        hls4ml_version="1.3.0",
        weights={**found, **(weights or {})},
        **{**settings, **changes},
    )


def relu(name, source, n):
    """A quantised relu of 6 bits."""
    return Layer(name, "relu", (source,), (n,), (n,), FixedType(6, 0, signed=False))


def test_an_estimate_is_a_synthesizer_that_needs_no_folder(tmp_path):
    """The seam: judge, causes and figures of level "estimated", and both folders stay untouched."""
    estimate = Estimate()
    found = network(dense("fc1", "x", 16, 8), relu("relu1", "fc1", 8))
    assert isinstance(estimate, Synthesizer)
    measurement = estimate.synthesize(found, tmp_path / "absent", tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert measurement.judge == estimate.judge(found.part, found.clock_ns)
    assert measurement.source.level == "estimated"
    assert set(measurement.values) == {
        "dsp", "lut", "ff", "bram_18k", "latency_cycles", "interval_cycles", "latency_ns",
    }  # fmt: skip
    assert set(measurement.layers) == {"x", "fc1", "relu1"}
    assert measurement.values["latency_ns"] == measurement.values["latency_cycles"] * 5.0
    assert Measurement.from_json(measurement.as_json()) == measurement


def test_the_causes_follow_the_network():
    """Another weight is another network; the same network has the same causes."""
    layer = dense("fc1", "x", 16, 8)
    one, same = network(layer), network(layer)
    other = network(layer, weights={"fc1/weight": np.ones((16, 8)) / 2})
    assert Estimate().causes(one) == Estimate().causes(same)
    assert Estimate().causes(one) != Estimate().causes(other)


def test_resource_strategy_divides_multipliers_by_the_reuse_factor():
    """ceil(n_in * n_out / RF) DSP blocks and an interval of RF (hls4ml, nnet_dense_resource.h)."""
    found = Estimate().estimate(network(dense("fc1", "x", 16, 8, strategy="resource", reuse_factor=8)))
    assert found.values["dsp"] == 16
    assert found.values["interval_cycles"] == 8


def test_zeros_cost_nothing_in_the_latency_strategy():
    """Constant weights are folded in: pruned weights free LUTs, all zeros leave no DSP block."""
    layer = dense("fc1", "x", 16, 8)
    generator = np.random.default_rng(1)
    full = np.rint(generator.normal(size=(16, 8)) * 20) / 128
    half = full * (generator.random((16, 8)) < 0.5)
    lut = [
        Estimate().estimate(network(layer, weights={"fc1/weight": w})).values["lut"] for w in (full, half, np.zeros((16, 8)))
    ]
    assert lut[0] > lut[1] > lut[2]
    assert Estimate().estimate(network(layer, weights={"fc1/weight": np.zeros((16, 8))})).values["dsp"] == 0


def test_a_kind_of_layer_that_nothing_supports_is_refused_by_name():
    """No figure for a layer means no figure for the network."""
    layer = Layer("rnn", "lstm", ("x",), (16,), (8,), WIDE)
    with pytest.raises(StageFailed, match="layer rnn: no estimate for kind 'lstm'") as caught:
        Estimate().estimate(network(layer))
    assert caught.value.kind == "unsupported"


def test_a_layer_without_types_is_refused():
    """A missing type is an error, not a default width."""
    layer = dense("fc1", "x", 16, 8)
    bare = Layer("fc1", "dense", ("x",), (16,), (8,), WIDE, strategy="latency", reuse_factor=1, attributes=layer.attributes)
    with pytest.raises(StageFailed, match=r"layer fc1 .*: no weight_type, accumulator_type"):
        Estimate().estimate(network(bare))


def test_signed_digits_are_counted_as_by_hand():
    """7 = 8 - 1 has two digits, 5 = 4 + 1 two, 8 one, -11 = -8 - 4 + 1 three, 0 none."""
    found = weights_of(np.array([7, 5, 8, -11, 0, 0, -1]) / 16, FixedType(8, 4))
    assert (found.count, found.zeros, found.powers, found.digits) == (7, 2, 2, 2 + 2 + 1 + 3 + 1)


def test_signed_digits_agree_with_the_definition_for_every_byte():
    """Oracle: the shortest sum of signed powers of two has as many terms as the non-adjacent form."""
    for value in range(256):
        rest, digits = value, 0
        while rest:
            if rest % 2:
                digit = 2 - rest % 4
                rest -= digit
                digits += 1
            rest //= 2
        assert weights_of(np.array([value / 1.0]), FixedType(9, 9)).digits == digits

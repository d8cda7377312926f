"""Networks as plain data: types, digests, files."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import StoreError
from dse.network import FORMAT, ROUNDING, SATURATION, FixedType, Layer, Network

types = st.builds(
    FixedType, st.integers(1, 64), st.integers(-32, 64), st.booleans(), st.sampled_from(ROUNDING), st.sampled_from(SATURATION)
)


@given(types)
def test_a_type_comes_back_from_its_text(found):
    """In our form, in the vendor's, with spaces and with the mode names that the vendor's headers use."""
    sign = "" if found.signed else "u"
    full = f"{sign}fixed<{found.width},{found.integer},{found.rounding},{found.saturation},0>"
    vendors = f"ap_{sign}fixed< {found.width} , {found.integer}, AP_{found.rounding},AP_{found.saturation} >"
    assert FixedType.parse(str(found)) == FixedType.parse(full) == FixedType.parse(vendors) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ap_fixed<16,6>", FixedType(16, 6)),
        ("ufixed<6,0,RND_CONV,SAT,0>", FixedType(6, 0, False, "RND_CONV", "SAT")),
        ("ap_fixed<8,-2,RND>", FixedType(8, -2, True, "RND")),
        ("ap_uint<1>", FixedType(1, 1, False)),
        ("ap_int<7>", FixedType(7, 7)),
        ("int<32>", FixedType(32, 32)),
    ],
)
def test_types_as_hls4ml_writes_them(text, found):
    """Whole-number types are fixed-point types without a fraction; modes that are not named are truncation and wrapping."""
    assert FixedType.parse(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "float", "ap_fixed<16>", "ap_fixed<16,6", "fixed<16,6,ROUND>", "fixed<16,6,RND,SATURATE>", "fixed<16,6,SAT,RND>",
        "fixed<a,b>", "int<8,3>", "ap_fixed<>", "fixed<-8,3>", "fixed<16,6,RND,SAT,3>", "fixed<16,6> x", "",
    ],
)  # fmt: skip
def test_a_text_that_is_no_type_is_refused(text):
    """The text and the expected form; a mode that is not known would change values without a word."""
    with pytest.raises(ValueError, match=r"not a fixed-point type: .*expected the form ap_fixed<16,6>"):
        FixedType.parse(text)


@given(types)
def test_range_and_step_of_a_type(found):
    """All 2**width codes from low to high, in steps of 2**-fraction: exact fractions."""
    step = Fraction(2) ** -(found.width - found.integer)
    low = -(2 ** (found.width - 1)) if found.signed else 0
    assert found.fraction == found.width - found.integer
    assert (Fraction(found.step), Fraction(found.low)) == (step, low * step)
    if found.width <= 53:
        assert Fraction(found.high) == (low + 2**found.width - 1) * step


WIDE, NARROW = FixedType(16, 6), FixedType(8, 1, True, "RND_CONV", "SAT")


def layer(name, kind="dense", **changes):
    whole = {
        "inputs": ("x",), "input_shape": (4,), "output_shape": (3,), "result_type": WIDE, "weight_type": NARROW,
        "bias_type": NARROW, "accumulator_type": WIDE, "strategy": "latency", "reuse_factor": 1,
        "attributes": {"n_in": 4, "n_out": 3, "padding": "same", "target_shape": [3]},
    }  # fmt: skip
    return Layer(name, kind, **{**whole, **changes})


def network(**changes):
    weights = {
        "fc/weight": np.arange(12.0).reshape(4, 3) / 64,
        "fc/bias": np.array([0.0, 0.5, -0.5]),
        "norm/weight": np.ones(3),
    }
    whole = {
        "layers": (
            Layer("x", "input", (), (4,), (4,), WIDE),
            layer("fc"),
            layer("norm", "batchnorm", inputs=("fc",), bias_type=None),
        ),
        "outputs": ("norm",), "io_type": "io_parallel", "part": "xc7z020clg400-1", "clock_ns": 5.0, "backend": "Vitis",
        "hls4ml_version": "1.3.0", "weights": weights,
    }  # fmt: skip
    return Network(**{**whole, **changes})


def with_layer(**changes):
    first, second, third = network().layers
    return network(layers=(first, replace(second, **changes), third))


def with_weights(**changes):
    return network(weights={**network().weights, **{name.replace("_", "/"): array for name, array in changes.items()}})


HARDWARE = {
    "reuse factor": with_layer(reuse_factor=2),
    "strategy": with_layer(strategy="resource"),
    "IO type": network(io_type="io_stream"),
    "part": network(part="xcu250-figd2104-2L-e"),
    "clock": network(clock_ns=4.0),
}
FUNCTION = {
    "a weight": with_weights(fc_weight=np.arange(12.0).reshape(4, 3) / 32),
    "a bias": with_weights(fc_bias=np.array([0.0, 0.5, 0.5])),
    "two weights swapped": with_weights(fc_bias=np.array([0.5, 0.0, -0.5])),
    "a weight's shape": with_weights(fc_weight=np.arange(12.0).reshape(3, 4) / 64),
    "a weight more": with_weights(norm_bias=np.zeros(3)),
    "the kind": with_layer(kind="conv1d"),
    "the inputs": with_layer(inputs=("norm",)),
    "a shape": with_layer(output_shape=(1, 3)),
    "the result's rounding": with_layer(result_type=replace(WIDE, rounding="RND")),
    "the weights' width": with_layer(weight_type=replace(NARROW, width=9)),
    "no accumulator": with_layer(accumulator_type=None),
    "an attribute": with_layer(attributes={"n_in": 4, "n_out": 3, "padding": "valid", "target_shape": [3]}),
    "the order": network(layers=network().layers[::-1]),
    "the outputs": network(outputs=("fc",)),
    "the backend": network(backend="Vivado"),
    "hls4ml's version": network(hls4ml_version="1.4.0"),
}
SAME = {
    "again": network(),
    "weights in another order": network(weights=dict(reversed(network().weights.items()))),
    "weights laid out otherwise": with_weights(fc_weight=np.asfortranarray(network().weights["fc/weight"])),
    "weights in 32 bits": with_weights(fc_bias=network().weights["fc/bias"].astype(np.float32)),
    "minus zero": with_weights(fc_bias=np.array([-0.0, 0.5, -0.5])),
    "attributes in another order": with_layer(attributes=dict(reversed(layer("fc").attributes.items()))),
    "attributes from a file": with_layer(attributes=json.loads(json.dumps(layer("fc").attributes))),
}


@pytest.mark.parametrize("change", [*HARDWARE, *FUNCTION])
def test_a_change_of_what_is_built_changes_the_digest(change):
    """Figures of one network must not be found under another's key."""
    assert (HARDWARE | FUNCTION)[change].digest != network().digest


@pytest.mark.parametrize("change", HARDWARE)
def test_knobs_of_the_hardware_alone_do_not_change_the_function(change):
    """Their emulations may be shared: the same values come out."""
    assert HARDWARE[change].function_digest == network().function_digest


@pytest.mark.parametrize("change", FUNCTION)
def test_what_changes_the_outputs_changes_the_functions_digest(change):
    """Another function is another emulation."""
    assert FUNCTION[change].function_digest != network().function_digest


@pytest.mark.parametrize("change", SAME)
def test_the_same_hardware_has_the_same_digest(change):
    """However it lies in memory, and whatever order a dict happens to have."""
    assert SAME[change].digest == network().digest
    assert SAME[change].function_digest == network().function_digest


def test_the_two_digests_are_not_mixed_up():
    """They are keys of different stages."""
    assert network().digest != network().function_digest


def test_a_network_comes_back_from_its_folder(tmp_path):
    """Layers, types and settings equal, weights to the last bit; a second saving replaces the first."""
    before = network()
    network(part="other").save(tmp_path)
    before.save(tmp_path)
    after = Network.load(tmp_path)
    assert after == before
    assert after.digest == before.digest
    assert after.weights.keys() == before.weights.keys()
    for name, array in before.weights.items():
        assert np.array_equal(after.weights[name], array)
        assert after.weights[name].dtype == np.float64


@pytest.mark.parametrize("name", ["layers.json", "weights.npz"])
def test_a_torn_network_is_refused_at_every_length(tmp_path, name):
    """Missing, empty, or cut off anywhere: StoreError with the folder and what to do, no half network."""
    network().save(tmp_path)
    path = tmp_path / name
    whole = path.read_bytes()
    for length in [*range(0, len(whole) - 1, 37), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(StoreError, match=r"not a readable network .*Remove it and run again"):
            Network.load(tmp_path)
    path.unlink()
    with pytest.raises(StoreError, match="not a readable network"):
        Network.load(tmp_path)


def test_a_flipped_bit_in_the_weights_is_noticed(tmp_path):
    """The archive carries checksums."""
    network().save(tmp_path)
    path = tmp_path / "weights.npz"
    whole = bytearray(path.read_bytes())
    whole[80] ^= 0xFF
    path.write_bytes(whole)
    with pytest.raises(StoreError):
        Network.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": FORMAT + 1}, f"another format than {FORMAT}. Convert again"),
        ({"format": None}, f"another format than {FORMAT}"),
        ({"layers": [{"name": "fc"}]}, "not a readable network"),
        ({"outputs": None}, "not a readable network"),
        ({"colour": "red"}, "not a readable network"),
    ],
)
def test_a_network_of_another_form_is_refused(tmp_path, change, said):
    """A field that is missing or not known means that another version wrote it."""
    network().save(tmp_path)
    path = tmp_path / "layers.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(StoreError, match=said):
        Network.load(tmp_path)


def test_layers_by_name_and_those_that_multiply():
    """A batch normalisation has weights and is no matrix product."""
    found = network()
    assert found.layer("norm").kind == "batchnorm"
    assert [layer.name for layer in found.multipliers] == ["fc"]
    with pytest.raises(KeyError, match="fc2"):
        found.layer("fc2")


def test_the_size_of_a_product_sum():
    """Dense layers evaluate theirs once, convolutions at every output pixel."""
    assert (layer("fc").n_in, layer("fc").n_out, layer("fc").positions) == (4, 3, 1)
    assert layer("conv", attributes={"n_in": 9, "n_out": 8, "positions": 36}).positions == 36
    with pytest.raises(KeyError, match="n_in"):
        _ = layer("relu", attributes={}).n_in

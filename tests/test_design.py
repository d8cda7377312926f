"""Designs: the same choice gives the same value, JSON and digest."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import bits, designs, layered, names

from dse.design import (
    KNOBS,
    Compression,
    Design,
    Hardware,
    PerLayer,
    build,
    canonical,
    per_layer,
)


@given(designs)
def test_a_design_comes_back_from_its_json(design):
    """Through text and back nothing is lost, not even the kind of a number."""
    there = Design.from_json(json.loads(json.dumps(design.as_json())))
    assert there == design
    assert json.dumps(there.as_json()) == json.dumps(design.as_json())


@given(designs)
def test_a_design_comes_back_from_its_flat_knobs(design):
    """`build` is the inverse of `Design.knobs`, in whatever order the knobs come."""
    assert build(design.knobs) == design
    assert build(dict(reversed(design.knobs.items()))) == design


@given(designs, designs)
def test_digests_are_equal_exactly_for_equal_designs(one, other):
    """The digest stands for the design in records and in the sampler's memory."""
    assert len(one.digest) == 16
    assert set(one.digest) <= set(string.hexdigits.lower())
    assert (one.digest == other.digest) == (one == other)
    assert hash(one) == hash(Design.from_json(one.as_json()))


@given(st.integers(-(10**6), 10**6), st.integers(1, 1000))
def test_numbers_that_are_meant_to_be_the_same_are(steps, parts):
    """0.1 + 0.2 and 0.3 are one sparsity: sums of steps and quotients agree."""
    total = sum([1 / parts] * (abs(steps) % 50))
    assert canonical(total) == canonical((abs(steps) % 50) / parts)
    assert canonical(canonical(total)) == canonical(total)


def test_minus_zero_is_zero():
    """-0.0 equals 0.0 and must not have a JSON of its own."""
    values = {"weight_bits": 4, "activation_bits": 4, "architecture.shift": 0.0, "sparsity": 0.0}
    assert build({**values, "architecture.shift": -0.0, "sparsity": -0.0}).digest == build(values).digest


def test_canonical_leaves_other_kinds_alone():
    """Whole numbers, text and truth values stay what they are."""
    assert [canonical(v) for v in (10**15 + 1, "0.30000000000000004", True)] == [10**15 + 1, "0.30000000000000004", True]
    assert canonical(True) is True


@given(bits, st.dictionaries(names, bits, max_size=3))
def test_a_layer_has_its_own_value_or_the_default(default, named):
    """What is asked of a PerLayer is what the mapping said, however it is kept."""
    knob = per_layer({"*": default, **named})
    for layer in [*named, "another"]:
        assert knob.of(layer) == named.get(layer, default)
    assert set(knob.values) == {default, *named.values()}


@given(bits, st.dictionaries(names, bits, max_size=4))
def test_naming_a_layer_with_the_default_says_nothing(default, named):
    """Equal choices are equal values: layers with the default's value are dropped, the order does not count."""
    said = {"*": default, **named}
    assert per_layer(said) == per_layer(dict(reversed(said.items())))
    assert per_layer(said) == per_layer({"*": default, **{n: v for n, v in named.items() if v != default}})
    assert per_layer(per_layer(said)) == per_layer(said)
    assert per_layer({"*": default, "fc1": default}) == per_layer(default)


@given(layered(bits))
def test_a_per_layer_value_comes_back_from_its_json(knob):
    """A bare value where all layers have the same, else a mapping."""
    assert per_layer(json.loads(json.dumps(knob.as_json()))) == knob


def test_a_layer_without_a_value_is_an_error():
    """No default and no name: KeyError with the layer, never some other layer's value."""
    with pytest.raises(KeyError, match="fc2"):
        per_layer({"fc1": 4}).of("fc2")
    with pytest.raises(ValueError, match="at least one layer"):
        per_layer({})


def test_a_value_of_zero_is_a_value():
    """A default of 0 must not be taken for a missing one."""
    knob = per_layer({"*": 0.0, "fc1": 0.5})
    assert knob.of("fc2") == 0.0
    assert knob.as_json() == {"*": 0.0, "fc1": 0.5}
    assert per_layer(0.0).as_json() == 0.0


def test_text_is_not_a_number():
    """A strategy asked for as a number is a mistake of the program."""
    assert per_layer(True).number("fc1") == 1
    with pytest.raises(TypeError, match="'latency' is not a number"):
        per_layer("latency").number("fc1")


def test_one_sparsity_and_one_clock_however_they_are_written():
    """0 and 0.0, 5 and 5.0: the JSON of equal designs is equal."""
    whole = build({"weight_bits": 4, "activation_bits": 4, "sparsity": 0, "clock_ns": 5, "sparsity.fc1": 0})
    point = build({"weight_bits": 4, "activation_bits": 4, "sparsity": 0.0, "clock_ns": 5.0})
    assert whole == point
    assert json.dumps(whole.as_json()) == json.dumps(point.as_json())
    assert Compression(PerLayer(4), PerLayer(4), PerLayer(None, (("fc1", 0),))).sparsity.as_json() == {"fc1": 0.0}


def test_what_is_not_said_has_a_default():
    """Not pruned, reuse factor 1, latency, io_parallel, the study's clock."""
    design = build({"weight_bits": 6, "activation_bits": 7})
    assert design.hardware == Hardware()
    assert design.knobs == {
        "weight_bits": 6, "activation_bits": 7, "sparsity": 0.0, "input_bits": 16,
        "reuse_factor": 1, "strategy": "latency", "io_type": "io_parallel",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["weight_bit", "io_type.fc1", "input_bits.fc1", "clock_ns.fc1", "architecture", "", "*"])
def test_a_name_that_is_no_knob_is_refused(name):
    """A misspelt knob would silently keep its default; knobs of the whole network have no layers."""
    with pytest.raises(ValueError, match="is not a knob; known: weight_bits, activation_bits"):
        build({"weight_bits": 4, "activation_bits": 4, name: 4})


def test_bit_widths_have_no_default():
    """There is no width that would be right for everyone."""
    with pytest.raises(TypeError, match="activation_bits"):
        build({"weight_bits": 4})


def test_every_knob_belongs_to_one_group():
    """Compression changes the weights, hardware does not: a knob in both would retrain for nothing."""
    assert len(set(KNOBS)) == len(KNOBS)


OLD = {
    "b02cb1f1e2f0c854": (
        {"weight_bits": 6, "activation_bits": 7},
        ('{"architecture": {}, "compression": {"weight_bits": 6, "activation_bits": 7, "sparsity": 0.0, "input_bits": 16}, '
        '"hardware": {"reuse_factor": 1, "strategy": "latency", "io_type": "io_parallel", "clock_ns": null}}'),
    ),
    "661558d230cd8072": (
        {
            "weight_bits": 4, "weight_bits.fc1": 6, "activation_bits": 5, "sparsity": 0.5, "input_bits": 8, "reuse_factor": 2,
            "reuse_factor.fc1": 4, "strategy": "resource", "io_type": "io_stream", "clock_ns": 4.0, "architecture.width": 16,
        },
        ('{"architecture": {"width": 16}, "compression": {"weight_bits": {"*": 4, "fc1": 6}, "activation_bits": 5, '
        '"sparsity": 0.5, "input_bits": 8}, "hardware": {"reuse_factor": {"*": 2, "fc1": 4}, "strategy": "resource", '
        '"io_type": "io_stream", "clock_ns": 4.0}}'),
    ),
}  # fmt: skip


@pytest.mark.parametrize("digest", OLD)
def test_designs_of_the_first_version_keep_their_digest_and_json(digest):
    """Literal: records, stores and samplers know designs by them, whatever knobs have come since."""
    knobs, text = OLD[digest]
    assert build(knobs).digest == digest
    assert json.dumps(build(knobs).as_json()) == text
    assert Design.from_json(json.loads(text)) == build(knobs)


def test_what_a_design_lacks_is_not_in_its_json_and_not_among_its_knobs():
    """Of a network that is quantised after its training, and of something that has no layers with reuse factors."""
    trained = build({"weight_width": 8, "weight_width.fc1": 6, "result_width": 10})
    assert trained.compression is None
    assert trained.as_json()["precision"] == {"weight_width": {"*": 8, "fc1": 6}, "result_width": 10}
    assert "compression" not in trained.as_json()
    assert build(trained.knobs) == Design.from_json(json.loads(json.dumps(trained.as_json()))) == trained
    bare = build({"input_width": 12, "reuse_factor": None, "strategy": None, "io_type": None})
    assert bare.as_json() == {"architecture": {}, "precision": {"input_width": 12}, "hardware": {"clock_ns": None}}
    assert bare.knobs == {"input_width": 12}
    assert Design.from_json(json.loads(json.dumps(bare.as_json()))) == bare


@pytest.mark.parametrize("found", [{}, {"architecture": {}, "compression": {}, "hardware": {}}, {"architecture": 3}])
def test_json_that_is_no_design_is_refused(found):
    """Something is raised, no design with guessed knobs is made."""
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        Design.from_json(found)


def test_ternary_weights_are_a_word_among_the_widths():
    """In JSON and among the knobs as any width, for all layers or some; two bits are another design."""
    some = build({"weight_bits": 4, "weight_bits.fc1": "ternary", "activation_bits": 6})
    assert some.as_json()["compression"]["weight_bits"] == {"*": 4, "fc1": "ternary"}
    assert Design.from_json(json.loads(json.dumps(some.as_json()))) == build(some.knobs) == some
    every = [build({"weight_bits": bits, "activation_bits": 6}) for bits in ("ternary", 2)]
    assert every[0].knobs["weight_bits"] == "ternary"
    assert len({one.digest for one in every}) == 2


def test_designs_without_the_knobs_that_came_later_keep_their_json():
    """Parallelisation, depths of streams and the learning rate are in it where a design has them."""
    plain = build({"weight_bits": 6, "activation_bits": 6})
    assert set(plain.as_json()["hardware"]) == {"reuse_factor", "strategy", "io_type", "clock_ns"}
    assert set(plain.as_json()["compression"]) == {"weight_bits", "activation_bits", "sparsity", "input_bits"}
    faster = build({"weight_bits": 6, "activation_bits": 6, "learning_rate": 1})
    assert faster.as_json()["compression"]["learning_rate"] == 1.0
    assert Design.from_json(faster.as_json()) == build(faster.knobs) == faster
    deep = build({"weight_bits": 6, "activation_bits": 6, "fifo_depth.conv": 8, "parallelization_factor": 2})
    assert deep.as_json()["hardware"]["fifo_depth"] == {"conv": 8}
    assert Design.from_json(deep.as_json()) == deep
    assert build(deep.knobs) == deep

"""The design space: what a study's knobs spell out to, and what is refused."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.design import Design, build
from dse.domains import Choice, EachLayer, Integers, ReuseFactors, Steps
from dse.errors import UsageError
from dse.legal import LayerShape, illegal, legal_reuse_factors
from dse.space import Space

FC1, FC2, OUT = (
    LayerShape("fc1", 64, 32, weighted=True, activated=True),
    LayerShape("fc2", 32, 16, weighted=True, activated=True),
    LayerShape("out", 16, 10, weighted=True, activated=False),
)
RELU = LayerShape("relu", 0, 0, weighted=False, activated=True)
MLP = (FC1, FC2, OUT)


def space(**knobs):
    return Space(**{"weight_bits": 6, "activation_bits": 6, **knobs})


knob_domains = {
    "weight_bits": st.sampled_from([4, Integers(3, 5), {"fc1": Integers(3, 4), "*": Choice(3, 8)}, EachLayer(Choice(4, 6))]),
    "activation_bits": st.sampled_from([5, Integers(4, 5), EachLayer(Choice(4, 6)), {"*": 8, "fc2": Choice(3, 4)}]),
    "sparsity": st.sampled_from([0.0, Steps(0.0, 0.3, 0.1), {"out": 0.0, "*": Choice(0.0, 0.5)}]),
    "reuse_factor": st.sampled_from([1, ReuseFactors(4), EachLayer(ReuseFactors(2))]),
    "strategy": st.sampled_from(["latency", Choice("latency", "resource")]),
    "clock_ns": st.sampled_from([None, 4, Choice(3.3, 5)]),
    "architecture": st.sampled_from([{}, {"width": Choice(16, 32), "norm": Choice(True, False), "depth": 2}]),
}
spaces = st.fixed_dictionaries(knob_domains).map(lambda knobs: Space(**knobs).resolved(MLP)).filter(lambda s: s.size <= 300)


@given(spaces)
def test_the_designs_of_a_space_are_as_many_as_its_size_says_and_all_different(found):
    """`size`, `designs()` and the product of the domains agree: a sweep ends after exactly that many."""
    designs = list(found.designs())
    assert len(designs) == len(set(designs)) == len({design.digest for design in designs}) == found.size
    assert found.size == math.prod(len(domain.values) for domain in found.domains.values())


@given(spaces, st.data())
def test_a_design_and_its_values_are_one(found, data):
    """Values to design and back; what a record says leads to the same design in this space."""
    values = {name: data.draw(st.sampled_from(domain.values)) for name, domain in found.free.items()}
    design = found.design(values)
    assert found.values(design) == values
    assert found.values(Design.from_json(design.as_json())) == values
    assert {name for name, domain in found.domains.items() if len(domain.values) > 1} == set(values)


@given(spaces, st.data())
def test_every_layer_gets_the_value_that_was_chosen_for_it(found, data):
    """A layer's own domain goes before the one of "*"."""
    values = {name: data.draw(st.sampled_from(domain.values)) for name, domain in found.free.items()}
    fixed = {name: domain.values[0] for name, domain in found.domains.items()}
    design, said = found.design(values), {**fixed, **values}
    for layer in MLP:
        assert design.compression.weight_bits.of(layer.name) == said.get(f"weight_bits.{layer.name}", said.get("weight_bits"))
        assert design.hardware.reuse_factor.of(layer.name) == said.get(f"reuse_factor.{layer.name}", said.get("reuse_factor"))


def test_each_layer_means_the_layers_that_have_the_knob():
    """Weights: fc1, fc2 and out; activations: those that end in a ReLU."""
    found = space(weight_bits=EachLayer(Integers(3, 4)), activation_bits=EachLayer(Choice(4, 8))).resolved((*MLP, RELU))
    assert [name for name in found.domains if name.startswith("weight")] == [f"weight_bits.{n}" for n in ("fc1", "fc2", "out")]
    assert [name for name in found.domains if name.startswith("act")] == [
        f"activation_bits.{n}" for n in ("fc1", "fc2", "relu")
    ]
    assert found.size == 2**3 * 2**3


def test_reuse_factors_are_those_that_every_layer_builds():
    """1 to 32 in powers of two for 64-32-16-10, as hls4ml builds them; 64 fits the first two layers only."""
    found = space(reuse_factor=ReuseFactors(at_most=64), strategy="resource").resolved(MLP)
    assert found.domains["reuse_factor"].values == (1, 2, 4, 8, 16, 32)
    assert space(reuse_factor=ReuseFactors(at_most=64)).resolved((FC1, FC2)).domains["reuse_factor"].values[-1] == 64
    assert space(reuse_factor=ReuseFactors(at_most=4)).resolved(MLP).domains["reuse_factor"].values == (1, 2, 4)


def test_each_layers_own_reuse_factors():
    """EachLayer(ReuseFactors()) asks nothing of the other layers."""
    found = space(reuse_factor=EachLayer(ReuseFactors(at_most=10**6)), strategy="resource").resolved(MLP)
    for layer in MLP:
        assert found.domains[f"reuse_factor.{layer.name}"].values == legal_reuse_factors(layer.n_in, layer.n_out)


def test_reuse_factors_of_the_other_layers():
    """The star takes what is common to the layers that are not named."""
    found = space(reuse_factor={"out": 80, "*": ReuseFactors(64)}, strategy="resource").resolved(MLP)
    assert found.domains["reuse_factor.out"].values == (80,)
    both = set(legal_reuse_factors(64, 32)) & set(legal_reuse_factors(32, 16))
    assert set(found.domains["reuse_factor"].values) == {factor for factor in both if factor <= 64}


def test_legal_reuse_factors_of_a_small_product_sum_by_hand():
    """4 x 3: 1, 2, 4 leave 12, 6 and 3 multipliers, shared by whole outputs; 12 is all in one; 3 and 6 do not fit 4."""
    assert legal_reuse_factors(4, 3) == (1, 2, 4, 12)
    assert legal_reuse_factors(1, 1) == (1,)


def test_a_reuse_factor_that_hls4ml_would_change_is_refused():
    """The resource strategy would build another one: the layer, its size, the legal ones and what was got."""
    with pytest.raises(UsageError, match=r"one of \(1, 2, 4, 8, 16, 32\) for layer out \(16 x 10\), got 3, 7\. `Reuse"):
        space(reuse_factor=Choice(1, 3, 7), strategy="resource").resolved((OUT,))
    space(reuse_factor=Choice(1, 3, 7), strategy="latency").resolved((OUT,))


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"weight_bits": {"fc3": 4, "*": 6}}, "weight_bits: there is no layer fc3 with this knob; there are fc1, fc2, out"),
        ({"activation_bits": {"out": 4, "*": 6}}, "activation_bits: there is no layer out with this knob; there are fc1, fc2"),
        ({"weight_bits": {"fc1": 4}}, 'weight_bits: no value for layer fc2, out. Name it, or give "\\*" for all others'),
        ({"weight_bits": {}}, "weight_bits: the network has no layer with this knob"),
        ({"weight_bits": EachLayer(Integers(1, 4))}, "weight_bits.fc1 must be a whole number from 2 to 32"),
    ],
)
def test_layers_and_knobs_must_meet(knobs, said):
    """A misspelt layer, a layer left out, a domain that is wrong for each layer."""
    with pytest.raises(UsageError, match=said):
        space(**knobs).resolved(MLP)


def test_a_network_without_activations_wants_one_plain_value():
    """A single dense layer has no layer that the activation's width could be chosen for."""
    with pytest.raises(UsageError, match="activation_bits: the network has no layer with this knob; give it one plain value"):
        space(activation_bits=EachLayer(Integers(4, 6))).resolved((OUT,))
    assert space(activation_bits=4).resolved((OUT,)).size == 1


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"weight_bits": "6"}, "weight_bits must be a whole number"),
        ({"weight_bits": {"fc1": None}}, "finite numbers, text, True or False; got None"),
        ({"weight_bits": [4, 6]}, r"got \[4, 6\]"),
        ({"io_type": {"fc1": "io_stream"}}, "io_type has one value for the whole network, got one per layer: fc1"),
        ({"strategy": Choice("latency", "Unrolled")}, "strategy must be one of latency, .*, got 'Unrolled'"),
        ({"learning_rate": Choice(1e-3, 0)}, "learning_rate must be a number above 0, got 0"),
        ({"clock_ns": Choice(5, 0)}, "clock_ns must be a number of nanoseconds above 0, got 0"),
        ({"architecture": {"width": [16, 32]}}, r"got \[16, 32\]"),
    ],
)
def test_a_space_refuses_what_its_knobs_cannot_be(knobs, said):
    """At once, where the study is written, not after the first trial."""
    with pytest.raises(UsageError, match=said):
        space(**knobs)


def test_domains_of_unknown_layers_are_asked_too_early():
    """Before `resolved` there is no answer, and no wrong one."""
    with pytest.raises(UsageError, match="reuse_factor: the values depend on the layers, which are not known yet"):
        _ = space(reuse_factor=ReuseFactors()).size


def test_values_of_a_design_that_is_not_there():
    """Unknown knob, value outside the domain, value missing: name, what is known, what was got."""
    found = space(weight_bits=Integers(3, 5), strategy=Choice("latency", "resource"))
    with pytest.raises(
        UsageError, match=r"'weight_bits\.fc1' is not a knob of this space; its knobs: weight_bits, activation_bits"
    ):
        found.design({"weight_bits.fc1": 3})
    with pytest.raises(UsageError, match=r"weight_bits must be one of \(3, 4, 5\), got 6"):
        found.design({"weight_bits": 6, "strategy": "latency"})
    with pytest.raises(UsageError, match="a design of this space needs a value for strategy"):
        found.design({"weight_bits": 3})


def test_a_value_written_otherwise_is_the_domains_own():
    """6.0 and True equal 6 and 1, and must not give the same design another digest."""
    found = space(weight_bits=Integers(5, 6), reuse_factor=Choice(1, 2), architecture={"width": Choice(8, 16)})
    plain = found.design({"weight_bits": 6, "reuse_factor": 1, "architecture.width": 8})
    assert found.design({"weight_bits": 6.0, "reuse_factor": True, "architecture.width": 8.0}).digest == plain.digest


def test_a_design_of_another_space_has_no_values_in_this_one():
    """None, and no nearest neighbour: records of another space teach the sampler nothing."""
    found = space(weight_bits=Integers(3, 5))
    known = {"weight_bits": 4, "activation_bits": 6}
    assert found.values(build(known)) == {"weight_bits": 4}
    for change in ({"weight_bits": 6}, {"weight_bits.fc1": 3}, {"sparsity": 0.5}, {"clock_ns": 5}, {"architecture.width": 8}):
        assert found.values(build({**known, **change})) is None


@given(spaces)
def test_the_json_of_a_space_lists_every_domain(found):
    """What is kept beside the records is what is compared at the next start."""
    assert {name: tuple(values) for name, values in found.as_json().items()} == {n: d.values for n, d in found.domains.items()}


@pytest.mark.parametrize(
    ("strategy", "factor", "builds"),
    [
        ("latency", 3, True), ("latency", 7, True), ("resource", 1, True), ("resource", 3, False), ("resource", 160, True),
        ("resource_unrolled", 1, False), ("resource_unrolled", 2, True), ("resource_unrolled", 160, False),
        ("distributed_arithmetic", 1, True), ("distributed_arithmetic", 2, False),
    ],
)  # fmt: skip
def test_what_hls4ml_would_not_build_as_asked_is_called_illegal(strategy, factor, builds):
    """Reasons name layer, strategy, the legal factors and what was got; tests/test_reuse_factors.py asks hls4ml itself."""
    design = build({"weight_bits": 4, "activation_bits": 4, "strategy": strategy, "reuse_factor": factor})
    reason = illegal(design, (OUT, RELU))
    if builds:
        assert reason is None
    else:
        assert reason is not None
        assert reason.startswith(f"layer out, strategy {strategy}: reuse_factor must be one of (")
        assert reason.endswith(f", got {factor}.")


def test_only_the_layer_that_breaks_a_rule_is_named():
    """3 is legal for none of the layers, 2 for all; the layer with 3 is fc2."""
    design = build({"weight_bits": 4, "activation_bits": 4, "strategy": "resource", "reuse_factor": 2, "reuse_factor.fc2": 3})
    assert (illegal(design, MLP) or "").startswith("layer fc2, strategy resource")
    assert illegal(design, (FC1, OUT)) is None


def test_a_layer_that_another_architecture_adds_needs_a_value():
    """The first architecture had no fc2: the design cannot be built, and the message says how the study must say it."""
    found = space(weight_bits=EachLayer(Integers(3, 4)), architecture={"depth": Choice(1, 2)}).resolved((FC1,))
    design = next(found.designs())
    assert illegal(design, (FC1,)) is None
    assert illegal(design, (FC1, FC2)) == (
        'layer fc2 has no weight_bits. Give the study\'s weight_bits a value for all other layers: "*".'
    )


def test_the_other_layers_may_come_with_another_architecture():
    """The star is kept where the first architecture has no other layers, and left out where none can ever come."""
    knobs = {"weight_bits": {"fc1": 4, "*": Choice(5, 6)}, "activation_bits": {"*": 8}}
    dense = LayerShape("fc1", 8, 8, weighted=True, activated=False)
    swept = space(**knobs, architecture={"depth": Choice(1, 2)}).resolved((dense,))
    assert all(illegal(design, (dense, FC2)) is None for design in swept.designs())
    assert space(weight_bits=knobs["weight_bits"]).resolved((dense,)).size == 1


@given(st.integers(1, 24), st.integers(1, 24))
def test_legal_factors_divide_the_multiplications(n_in, n_out):
    """1 and n_in * n_out are always among them, each divides the number of multiplications."""
    found = legal_reuse_factors(n_in, n_out)
    assert found == tuple(sorted(set(found)))
    assert {1, n_in * n_out} <= set(found)
    assert all(n_in * n_out % factor == 0 for factor in found)


def test_designs_come_in_a_fixed_order():
    """Two listings of the same space are the same list."""
    found = space(weight_bits=Integers(3, 5), strategy=Choice("latency", "resource"))
    pairs = [(d.compression.weight_bits.default, d.hardware.strategy.default) for d in found.designs()]
    assert pairs == list(itertools.product((3, 4, 5), ("latency", "resource")))


def test_reuse_factors_of_convolutions_stay_right_in_every_io_type_of_the_space():
    """Beyond kernel times channels a convolution is right in io_stream alone."""
    conv = LayerShape("conv", 9, 4, weighted=True, activated=True, positions=36)
    knobs = {"weight_bits": 4, "activation_bits": 4, "reuse_factor": ReuseFactors(), "strategy": "resource"}
    assert Space(**knobs, io_type="io_stream").resolved((conv,)).domains["reuse_factor"].values == (1, 3, 9, 18, 36)
    for io_type in ("io_parallel", Choice("io_parallel", "io_stream")):
        assert Space(**knobs, io_type=io_type).resolved((conv,)).domains["reuse_factor"].values == (1, 3, 9)


def test_knobs_of_one_io_type_alone_are_refused_where_the_space_has_the_other():
    """At once; so are factors that divide no layer's pixels. Layers that lack the knob get none."""
    conv = LayerShape("conv", 9, 4, weighted=True, activated=True, positions=36)
    knobs = {"weight_bits": 4, "activation_bits": 4}
    with pytest.raises(UsageError, match="fifo_depth is for io_stream"):
        Space(**knobs, fifo_depth=4).resolved((conv, OUT))
    with pytest.raises(UsageError, match="parallelization_factor is for io_parallel"):
        Space(**knobs, parallelization_factor=4, io_type="io_stream").resolved((conv, OUT))
    with pytest.raises(UsageError, match="must divide the 36 output pixels of layer conv"):
        Space(**knobs, parallelization_factor=Choice(4, 5)).resolved((conv, OUT))
    space = Space(**knobs, parallelization_factor=EachLayer(Choice(1, 4))).resolved((conv, OUT))
    assert set(space.free) == {"parallelization_factor.conv"}
    assert space.design({"parallelization_factor.conv": 4}).hardware.parallelization_factor.of("conv") == 4

"""Layers without product sums, windows, and composition, against modules of genuine reports."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from build_network import PART, QUANTISED, WIDE, conv, dense, network, relu

from dse.network import FixedType, Layer
from dse.parts import part
from dse.synth.estimate import Estimate
from dse.synth.estimate.elements import ELEMENTS
from dse.synth.estimate.fit import shipped
from dse.synth.estimate.layer import POOLS, layer_cost, product_cost
from dse.synth.estimate.product import product_sum
from dse.synth.estimate.tool import tool_for

SHARED = Path(os.environ.get("DSE_SHARED", Path(__file__).parents[4] / "shared"))
TUTORIAL = SHARED / "reports" / "tutorial_jets_vivado_hls_2019.1" / "myproject_csynth.rpt"


def module(text, name):
    """(BRAM, DSP, FF, LUT) of the first instance whose module begins with `name`."""
    found = re.search(rf"\|\S+\s*\|{name}\S*\s*\|\s*(\d+)\|\s*(\d+)\|\s*(\d+)\|\s*(\d+)\|\s*(\d+)\|", text)
    return tuple(int(number) for number in found.groups()[:4])


def cost(layer, io_type="io_parallel", **changes):
    """The cost of one layer after an input of its shape."""
    whole = network(layer, entering=layer.input_shape, io_type=io_type, **changes)
    return layer_cost(layer, whole, tool_for(whole, part(PART)), shipped()).cost


@pytest.mark.skipif(not TUTORIAL.parent.is_dir(), reason="no genuine reports: set DSE_SHARED to the folder that holds them")
def test_a_plain_relu_costs_what_the_tool_stated():
    """16-bit relu of 64 and 32 elements in Vivado HLS 2019.1: 28 LUTs per element, no flip-flop."""
    text = next(TUTORIAL.parent.glob("*.rpt")).read_text()
    for size, config in ((64, 4), (32, 7)):
        layer = Layer("r", "relu", ("x",), (size,), (size,), WIDE)
        _, _, ff, lut = module(text, rf"relu_ap_fixed_ap_fixed_16_6_5_3_0_relu_config{config}")
        found = cost(layer)
        assert (round(found.lut), round(found.ff)) == (lut, ff)


@pytest.mark.skipif(not TUTORIAL.parent.is_dir(), reason="no genuine reports: set DSE_SHARED to the folder that holds them")
def test_softmax_multiplies_once_per_class():
    """5 classes: 5 DSP blocks and 4 block RAMs (Vivado HLS 2019.1)."""
    text = next(TUTORIAL.parent.glob("*.rpt")).read_text()
    bram, dsp, _, _ = module(text, "softmax_latency")
    found = cost(Layer("s", "softmax", ("x",), (5,), (5,), WIDE))
    assert (found.bram_18k, found.dsp) == (bram, dsp)


@pytest.mark.parametrize("kind", [*ELEMENTS, *POOLS])
@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_every_kind_with_a_law_gives_finite_figures(kind, io_type):
    """No kind that is listed as supported fails or costs less than nothing."""
    pooled = (4, 4, 2) if kind in POOLS else (8, 8, 2)
    after = {"reshape": (128,), "global_maxpool": (2,), "global_avgpool": (2,)}.get(kind, pooled)
    sizes = {"pool_height": 2, "pool_width": 2}
    inputs = ("x", "x") if kind in ("merge", "concatenate") else ("x",)
    found = cost(Layer("l", kind, inputs, (8, 8, 2), after, QUANTISED, attributes=sizes), io_type)
    for name in ("dsp", "lut", "ff", "bram_18k", "latency_cycles"):
        assert 0 <= getattr(found, name) < 1e6
    assert found.interval_cycles >= 1


def test_streams_take_one_turn_per_pixel():
    """io_stream handles one pixel of all channels at a time, io_parallel everything at once."""
    layer = Layer("r", "relu", ("x",), (8, 8, 2), (8, 8, 2), QUANTISED)
    parallel, stream = cost(layer), cost(layer, "io_stream")
    assert parallel.lut == 64 * stream.lut
    assert parallel.interval_cycles == 1
    assert 64 <= stream.interval_cycles <= 70


def test_rounding_and_saturation_cost_something():
    """A cast that truncates and wraps is wires, one that rounds and saturates is an adder and a choice."""
    plain = cost(Layer("q", "quantize", ("x",), (4,), (4,), FixedType(8, 2)))
    careful = cost(Layer("q", "quantize", ("x",), (4,), (4,), FixedType(8, 2, rounding="RND", saturation="SAT")))
    assert plain.lut == 0 < careful.lut


def test_a_streamed_convolution_takes_two_cycles_per_pixel_besides_its_sum():
    """784 input pixels took 2355 cycles with a sum of one cycle (Vitis HLS 2023.2, 5 x 5 kernel on 28 x 28)."""
    layer = conv("c", "x", (28, 28, 1), 6, kernel=5)
    weights = np.zeros((5, 5, 1, 6))
    weights[::2, ::2] = 0.5
    whole = network(layer, entering=(28, 28, 1), io_type="io_stream", backend="Vitis", weights={"c/weight": weights})
    tool = tool_for(whole, part(PART))
    one = product_cost(product_sum(layer, whole), tool, shipped()).cost
    assert one.latency_cycles == 1
    assert layer_cost(layer, whole, tool, shipped()).cost.latency_cycles == 2355


def test_resources_of_a_network_are_at_least_its_layers():
    """Composition adds what lies between layers and takes nothing away."""
    layers = (dense("a", "x", 16, 32), relu("r", "a", 32), dense("b", "r", 32, 5, strategy="resource", reuse_factor=8))
    for io_type in ("io_parallel", "io_stream"):
        found = Estimate().estimate(network(*layers, io_type=io_type))
        for name in ("dsp", "lut", "ff", "bram_18k"):
            # every layer's figure is rounded for itself
            assert found.values[name] >= sum(row[name] for row in found.layers.values()) - len(found.layers)
        assert found.values["interval_cycles"] == max(row["interval_cycles"] for row in found.layers.values())


def test_one_layer_alone_is_the_network():
    """Nothing lies between layers where there is one."""
    found = Estimate().estimate(network(dense("a", "x", 16, 32)))
    assert found.values["lut"] == found.layers["a"]["lut"]
    assert found.values["latency_cycles"] == found.layers["a"]["latency_cycles"]


def test_a_pipeline_adds_latencies_and_a_dataflow_region_waits_for_its_slowest_layer():
    """io_parallel with the latency strategy is one pipeline; io_stream layers work at the same time."""
    layers = (conv("c", "x", (12, 12, 2), 4), relu("r", "c", 10, 10, 4), conv("d", "r", (10, 10, 4), 2))
    stream = Estimate().estimate(network(*layers, io_type="io_stream"))
    slowest = max(row["latency_cycles"] for row in stream.layers.values())
    total = sum(row["latency_cycles"] for row in stream.layers.values())
    assert slowest <= stream.values["latency_cycles"] < total
    flat = (dense("a", "x", 16, 32), relu("r", "a", 32), dense("b", "r", 32, 5))
    piped = Estimate().estimate(network(*flat))
    assert piped.values["latency_cycles"] >= sum(row["latency_cycles"] for row in piped.layers.values())

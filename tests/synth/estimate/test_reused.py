"""Weights in memory."""

from dataclasses import replace

import numpy as np
import pytest
from build_network import PART, conv, dense, network

from dse.network import FixedType
from dse.parts import part
from dse.synth.estimate.cost import mux_luts, ram_blocks, shift_luts
from dse.synth.estimate.fit import shipped
from dse.synth.estimate.layer import product_cost
from dse.synth.estimate.product import product_sum
from dse.synth.estimate.tool import Tool, tool_for


def product(n_in, n_out, reuse_factor, *, bits=12, weights=None):
    """The product sum of a dense layer of the resource strategy on 16-bit inputs."""
    layer = dense("fc", "h", n_in, n_out, strategy="resource", reuse_factor=reuse_factor, weight=FixedType(bits, 1))
    first = dense("h", "x", 4, n_in)
    found = network(first, layer, weights={} if weights is None else {"fc/weight": weights})
    return product_sum(layer, found), tool_for(found, part(PART))


@pytest.mark.parametrize(("n_in", "n_out", "reuse"), [(64, 32, 2), (64, 32, 64), (64, 32, 128), (64, 32, 2048), (32, 10, 4)])
def test_dsp_blocks_and_interval_are_the_generated_loop(n_in, n_out, reuse):
    """ceil(n_in * n_out / RF) multipliers, RF turns (hls4ml, nnet_dense_resource.h); wide products take one block each."""
    found, tool = product(n_in, n_out, reuse)
    cost = product_cost(found, tool, shipped()).cost
    assert cost.dsp == -(-n_in * n_out // reuse)
    assert cost.interval_cycles == reuse
    assert cost.latency_cycles >= reuse + 1


def test_products_of_twenty_bits_stay_in_fabric():
    """16-bit inputs: weights of 4 bits take no DSP block, of 5 bits one per multiplier."""
    for bits, blocks in ((4, 0), (5, 16)):
        weights = np.full((64, 32), -(2.0 ** (bits - 1))) * FixedType(bits, 1).step
        found, tool = product(64, 32, 128, bits=bits, weights=weights)
        assert product_cost(found, tool, shipped()).cost.dsp == blocks


def test_the_last_multiplier_is_as_narrow_as_what_it_meets():
    """6-bit weights that only reach +-7 leave the top of the memory word 4 bits wide: one block less."""
    kind = FixedType(6, 1)
    found, tool = product(64, 32, 128, bits=6, weights=np.full((64, 32), 7) * kind.step)
    assert product_cost(found, tool, shipped()).cost.dsp == 15


def test_a_wide_multiplication_takes_as_many_tiles_as_its_ports_make_necessary():
    """DSP48E1 multiplies 25 x 18 bits, DSP48E2 27 x 18: 34 x 8 is two blocks, 27 x 18 one or two."""
    old, new = Tool("7series", 5.0, 4.375, False), Tool("ultrascale+", 5.0, 4.375, False)
    assert [tool.blocks(34, 8) for tool in (old, new)] == [2, 2]
    assert [tool.blocks(26, 18) for tool in (old, new)] == [2, 1]
    assert new.blocks(18, 26) == 1
    assert new.blocks(27, 19) == 2


def test_memory_by_hand():
    """An 18-kbit block is 512 x 36 or 1024 x 18 (AMD UG573): widths round up, depths stack."""
    assert ram_blocks(512, 36) == 1
    assert ram_blocks(512, 37) == 2
    assert ram_blocks(513, 18) == 1
    assert ram_blocks(1024, 19) == 2
    assert ram_blocks(1280, 384) == 22 + 11
    assert ram_blocks(2048, 18) == 2


def test_multiplexers_grow_with_their_ways_and_take_the_next_power_of_two():
    """The tools build the multiplexer that their address can reach."""
    assert mux_luts(1) == 0
    assert mux_luts(33) == mux_luts(64)
    ways = [mux_luts(2**n) for n in range(12)]
    assert ways == sorted(ways)
    assert mux_luts(512) == 2 * mux_luts(256)


def test_shifts_cost_what_reports_list():
    """Vivado HLS 2019.2 states 35, 101, 182 and 950 LUTs for 16, 32, 64 and 256 bits; a wider word costs no less."""
    assert [shift_luts(bits) for bits in (8, 16, 32, 64, 256)] == pytest.approx([17.5, 35, 101, 182, 950])
    assert [shift_luts(bits) for bits in (512, 4096)] == [2171, 2171]
    costs = [shift_luts(bits) for bits in range(1, 600)]
    assert costs == sorted(costs)


@pytest.mark.parametrize("reuse", [4, 16, 64])
def test_an_input_in_one_port_is_cut_from_its_word(reuse):
    """16 inputs of 16 bits are a word of 256: two shifts of 950 LUTs, two rows of 256, and the index."""
    found, tool = product(16, 8, reuse)
    apart, packed = (product_cost(replace(found, packed=p), tool, shipped()).cost for p in (False, True))
    assert packed.lut - apart.lut == pytest.approx(2 * 950 + 2 * 256 + 343)
    assert (packed.dsp, packed.bram_18k) == (apart.dsp, apart.bram_18k)


@pytest.mark.parametrize(("reuse", "inputs"), [(4, 4), (8, 2), (16, 1), (64, 1)])
def test_the_bounds_hold_one_cut_and_one_for_each_input_of_a_turn(reuse, inputs):
    """A turn takes n_in / RF inputs up to RF = n_in, one beyond; no published layer tells whether they share a cut."""
    found, tool = product(16, 8, reuse)
    one = product_cost(replace(found, packed=True), tool, shipped())
    all_cuts = one.cost.lut + (inputs - 1) * (2 * 950 + 2 * 256 + 343)
    assert shipped().interval("lut", one.cost.lut, one.scores["lut"])[1] >= all_cuts


def test_a_convolution_reuses_its_sum_for_every_pixel():
    """io_parallel: as many turns as output pixels at the sum's interval, one sum in hardware; io_stream: all input pixels."""
    layer = conv("c", "x", (10, 10, 3), 8, strategy="resource", reuse_factor=9)
    whole = network(layer, io_type="io_parallel")
    from dse.synth.estimate import Estimate

    parallel = Estimate().estimate(whole).values
    stream = Estimate().estimate(network(layer, io_type="io_stream")).values
    assert parallel["dsp"] == stream["dsp"] == 24
    assert parallel["interval_cycles"] == 64 * 9
    assert stream["interval_cycles"] >= 100 * 9


def test_a_depthwise_convolution_has_one_kernel_per_channel():
    """9 weights per channel: 9 x channels multiplications, all in one turn where nothing is reused."""
    from dataclasses import replace

    from dse.synth.estimate import Estimate

    full = conv("c", "x", (6, 6, 4), 4)
    layer = replace(full, kind="depthwise_conv2d", attributes={**full.attributes, "n_in": 9, "n_out": 4})
    weights = np.full((3, 3, 4, 1), 77) * layer.weight_type.step
    for io_type in ("io_parallel", "io_stream"):
        whole = network(layer, entering=(6, 6, 4), io_type=io_type, weights={"c/weight": weights})
        assert Estimate().estimate(whole).values["dsp"] == 36

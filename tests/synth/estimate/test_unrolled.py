"""Weights folded into the logic."""

from dataclasses import replace

import numpy as np
import pytest
from build_network import PART, dense, network
from hypothesis import given
from hypothesis import strategies as st

from dse.network import FixedType
from dse.parts import part
from dse.synth.estimate.fit import shipped
from dse.synth.estimate.layer import product_cost
from dse.synth.estimate.product import product_sum
from dse.synth.estimate.tool import tool_for
from dse.synth.estimate.unrolled import blocks_of, ff_terms, limit_of, lut_terms, schedule, unrolled


def folded(whole, *, reuse_factor=1, bits=8, clock_ns=5.0):
    """The product sum of a matrix of whole numbers, and its tool (16-bit inputs)."""
    kind = FixedType(bits, 1)
    array = np.asarray(whole, dtype=float) * kind.step
    layer = dense("fc", "x", *array.shape, weight=kind, reuse_factor=reuse_factor)
    found = network(layer, weights={"fc/weight": array}, clock_ns=clock_ns)
    return product_sum(layer, found), tool_for(found, part(PART))


def test_two_neurons_by_hand():
    """Weights 7, 0 | 8, -11 | 1, 19: 5 products in sums of 3 and 2 terms; one constant of two digits; 19 is 5 bits wide
    and takes a block with a 16-bit input, -11 too (5 bits in two's complement).
    """
    product, tool = folded([[7, 0], [8, -11], [1, 19]])
    terms = lut_terms(product, tool)
    assert terms["sum"] == 5 - 2
    assert terms["pair_bit"] == 1 * (16 + 1 + 7)
    assert terms["negation_bit"] == 2 * (16 + 7)
    assert terms["block"] == 2
    assert terms["fabric_bit"] == 0
    assert blocks_of(product, tool) == 2


def test_narrow_constants_stay_in_fabric():
    """+11 is 4 bits wide: 20 bits of product, no block, 4 x 16 bits of multiplier in LUTs."""
    product, tool = folded([[11]])
    assert blocks_of(product, tool) == 0
    assert lut_terms(product, tool)["fabric_bit"] == 4 * 16


def test_the_limit_is_hls4mls():
    """ceil(n_in * n_out / RF) - floor(zeros / RF) (core_templates.py), at least 1."""
    whole = np.zeros((32, 32), dtype=int)
    whole[:16] = 77
    assert limit_of(folded(whole, reuse_factor=4)[0]) == 256 - 128
    assert limit_of(folded(whole, reuse_factor=5)[0]) == 205 - 102
    assert limit_of(folded(whole, reuse_factor=2000)[0]) == 1


def test_a_limit_divides_blocks_and_takes_turns():
    """290 multipliers on 2 units take 145 turns: interval 146 for a reuse factor of 512 (seen in Vivado HLS 2020.1)."""
    generator = np.random.default_rng(0)
    whole = generator.choice([19, -21, 37, 45, 77, -83, 91], (32, 32))
    product, tool = folded(whole, reuse_factor=512)
    cost = unrolled(product, tool, shipped().prices)
    turns = -(-product.constants.multipliers // 2)
    assert cost.dsp == 2
    assert cost.latency_cycles >= turns
    assert cost.interval_cycles == min(512, cost.latency_cycles + 1)


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**31), st.sampled_from([1, 2, 7, 64]))
def test_costs_are_never_negative_and_the_interval_never_exceeds_the_reuse_factor(n_in, n_out, seed, reuse):
    """Any weights, any reuse factor."""
    whole = np.random.default_rng(seed).integers(-128, 128, (n_in, n_out))
    product, tool = folded(whole, reuse_factor=reuse)
    cost = unrolled(product, tool, shipped().prices)
    assert min(cost.dsp, cost.lut, cost.ff, cost.latency_cycles) >= 0
    assert 1 <= cost.interval_cycles <= max(reuse, 1)
    assert all(value >= 0 for value in ff_terms(product, tool, schedule(product, tool, shipped().prices["delays"])).values())


def test_registers_of_a_pipelined_multiplier_by_hand():
    """83 and 77 are 7 bits wide, products 23: at 1.5 ns a block (1.94 ns for 21 bits) is cut. Two of them hold 3 x 23 bits each
    (operands, two products), and both inputs wait two cycles; at 5 ns there is nothing of it.
    """
    delays = shipped().prices["delays"]
    product, tool = folded([[83], [77]], clock_ns=1.5)
    cut = ff_terms(product, tool, schedule(product, tool, delays))
    assert tool.block_ns(23) == pytest.approx(1.94 * 23 / 21)
    assert (cut["block_bit"], cut["input_bit"]) == (2 * 3 * 23, 2 * 2 * 16)
    product, tool = folded([[83], [77]])
    whole = ff_terms(product, tool, schedule(product, tool, delays))
    assert (whole["block_bit"], whole["input_bit"]) == (0, 0)


def test_an_older_family_is_slower_throughout():
    """The same network at the same clock: logic and blocks of 7 series take 2.3 times as long, so never fewer cycles."""
    product, tool = folded(np.random.default_rng(1).integers(-60, 60, (64, 4)))
    older = replace(tool, family="7series")
    assert older.logic_ns == pytest.approx(tool.logic_ns / 2.3)
    assert older.block_ns(21) == pytest.approx(2.3 * tool.block_ns(21))
    delays = shipped().prices["delays"]
    assert schedule(product, older, delays).latency > schedule(product, tool, delays).latency


def test_a_shorter_clock_never_takes_fewer_cycles():
    """Less fits into each cycle."""
    whole = np.random.default_rng(0).integers(-60, 60, (128, 8))
    cycles = []
    for clock in (10.0, 5.0, 3.0, 2.0, 1.5):
        product, tool = folded(whole, clock_ns=clock)
        cycles.append(schedule(product, tool, shipped().prices["delays"]).latency)
    assert cycles == sorted(cycles)
    assert cycles[-1] > cycles[0]


def test_sums_of_more_products_than_the_tool_rearranges_are_chains():
    """129 terms at 4 additions of 0.8 ns per cycle of Vitis HLS (3.65 ns) are 33 cycles with 32 cuts between them; at 4,096
    products, and in Vivado HLS at any number, they are a tree of 7 halvings. The bounds of a chain hold its tree.
    """
    delays = shipped().prices["delays"]
    product, vivado = folded(np.ones((129, 32)))
    vitis = replace(vivado, vitis=True, budget_ns=3.65)
    assert schedule(product, vitis, delays).stages == 32
    assert schedule(product, vivado, delays).stages < 7
    tree = schedule(folded(np.ones((128, 32)))[0], vitis, delays).stages
    assert tree < 7
    found = product_cost(product, vitis, shipped())
    low, _ = shipped().interval("latency_cycles", found.cost.latency_cycles, found.scores["latency_cycles"])
    assert low <= tree


def test_an_interval_that_waits_for_the_sums_is_no_surer_than_their_latency():
    """With a reuse factor of 1000 the next input enters when the last one has left: bounds of the law as wide as those of its
    latency; with a reuse factor of 1 the interval is 1 whatever the latency.
    """
    whole = np.random.default_rng(0).choice([19, -21, 37, 45, 77, -83, 91], (32, 20))
    for reuse, wide in ((1000, True), (1, False)):
        product, tool = folded(whole, reuse_factor=reuse)
        found = product_cost(product, replace(tool, family="ultrascale"), shipped())
        assert found.grade == "law"
        assert (found.scores["interval_cycles"] == found.scores["latency_cycles"]) == wide


def test_every_price_has_its_term_and_every_term_its_price():
    """A term without a price would be an error at run time, a price without a term a dead number."""
    product, tool = folded([[7, 3]])
    prices = shipped().prices
    assert set(lut_terms(product, tool)) == set(prices["lut"])
    assert set(ff_terms(product, tool, schedule(product, tool, prices["delays"]))) == set(prices["ff"])
    assert all(price >= 0 for table in ("lut", "ff", "held") for price in prices[table].values())


@pytest.mark.parametrize("reuse", [1, 512])
def test_forced_multipliers(reuse):
    """A directive puts all multipliers into blocks or none."""
    product, tool = folded(np.full((8, 8), 11), reuse_factor=reuse)
    assert blocks_of(product, replace(tool, multipliers="fabric")) == 0
    assert blocks_of(product, replace(tool, multipliers="dsp")) == (8 if reuse == 1 else 1)

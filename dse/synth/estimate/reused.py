"""Product sums with weights in memory: hls4ml's resource strategy with a reuse factor above 1 (`nnet_dense_resource.h`).

The numbers below reproduce 634 layers that Vivado HLS 2020.1 has synthesised (16-bit inputs and sums, 2 to 14-bit weights,
8 x 8 shapes from 32 to 256, reuse factors 384 to 1280): DSP blocks and cycles all exactly, LUTs to 0.4 %, flip-flops to 0.2 %.
"""

from __future__ import annotations

import math

from dse.synth.estimate.cost import Cost, adder_luts, mux_luts, ram_blocks, shift_luts
from dse.synth.estimate.product import ProductSum
from dse.synth.estimate.tool import Tool

#: Write enables and routing of one accumulator, LUTs.
ACCUMULATOR_LUTS = 24
#: Arithmetic on the index of one of the inputs that lie side by side in one port.
INDEX_LUTS = 343
#: Loop counter and state machine, flip-flops.
LOOP_FFS = 108
#: A table of at least this many bits goes to block RAM.
TABLE_BITS = 1024


def _multipliers(product: ProductSum, tool: Tool) -> tuple[float, float]:
    """DSP blocks, and LUTs of multiplications that stay in fabric.

    All multipliers see weights of the declared width but the last, whose weights are the top of the memory's word: the tool
    narrows it to what occurs there.
    """
    count = product.multipliers
    widths = [(product.weight_bits, count - 1), (min(product.weight_bits, product.constants.range_bits), 1)]
    limit = tool.fabric_bits(product.input_bits)
    blocks = sum(n * tool.blocks(product.input_bits, bits) for bits, n in widths if bits > limit)
    luts = sum(n * _fabric_luts(product.input_bits, bits) for bits, n in widths if bits <= limit)
    return float(blocks), float(luts)


def _fabric_luts(input_bits: int, weight_bits: int) -> int:
    """LUTs of one variable multiplication: the product of the widths; the tools state 5 for weights of up to 4 bits."""
    return 5 if weight_bits <= 4 else input_bits * weight_bits


def _memory(product: ProductSum) -> int:
    """18-kbit blocks: one word of all multipliers' weights per turn, and the table of output indices where it is long."""
    depth = product.reuse_factor
    weights = ram_blocks(depth, product.multipliers * product.weight_bits)
    index_bits = math.ceil(math.log2(max(depth / product.n_in, 1)))
    return weights + (ram_blocks(depth, index_bits) if depth * index_bits >= TABLE_BITS else 0)


def _slow_turns(tool: Tool, blocks: float) -> int:
    """Cycles that a turn's multiplication and addition take beyond the first: more where the clock is short for the family."""
    need = DSP_TURN_NS[tool.family] if blocks else FABRIC_TURN_NS[tool.family]
    return max(math.ceil(need / tool.budget_ns) - 1, 0)


#: Multiplication, addition and multiplexer of one turn, ns; UltraScale+ from the estimated clocks (3.1 to 4.4 ns) of the 634
#: layers, 7 series from 12 layers of Vivado HLS 2019.2.
DSP_TURN_NS = {"7series": 7.0, "ultrascale": 5.0, "ultrascale+": 4.3}
FABRIC_TURN_NS = {"7series": 5.0, "ultrascale": 4.3, "ultrascale+": 4.3}


def inner(product: ProductSum, tool: Tool) -> Cost:
    """Reuse factor up to n_in: every multiplier serves one output; inputs pass n_in / RF multiplexers of RF ways."""
    blocks, fabric = _multipliers(product, tool)
    groups = math.ceil(product.n_in / product.reuse_factor)
    width = max(product.adder_bits, 16)
    lut = groups * mux_luts(product.reuse_factor) + product.multipliers * adder_luts(width) + fabric
    ff = LOOP_FFS + product.n_out * product.accumulator_bits + product.multipliers * product.accumulator_bits
    return _finish(product, tool, (blocks, lut, ff))


def outer(product: ProductSum, tool: Tool) -> Cost:
    """Reuse factor above n_in: every multiplier serves RF / n_in outputs, its accumulator is one of n_out.

    With two outputs per multiplier the tool sees a choice of two; above, it builds a multiplexer over all outputs.
    """
    blocks, fabric = _multipliers(product, tool)
    m, two = product.multipliers, product.reuse_factor <= 2 * product.n_in
    width = max(product.adder_bits, 16)
    choose = 2 * mux_luts(2) if two else mux_luts(product.n_out)
    lut = m * (choose + adder_luts(width)) + product.n_out * ACCUMULATOR_LUTS + fabric
    if two:
        ff = LOOP_FFS + 10 + (m * product.weight_bits if blocks else -14)
    else:
        ff = LOOP_FFS + (m * product.accumulator_bits if blocks else 19 + m * product.weight_bits)
    return _finish(product, tool, (blocks, lut, ff + product.n_out * product.accumulator_bits))


def further_cuts(product: ProductSum) -> float:
    """LUTs that the law leaves out and the tool may state: no published layer tells whether the n_in / RF inputs of a turn are
    each cut from the port's word, as the generated code says, or share one cut, as the single input of `outer` does.
    """
    if not product.packed or product.regime != "inner":
        return 0.0
    return (math.ceil(product.n_in / product.reuse_factor) - 1) * _part_select(product)


def _part_select(product: ProductSum) -> float:
    """LUTs of cutting one input from a word of all: two shifts (value and mask), a choice and a mask of the word's width."""
    bits = product.n_in * product.input_bits
    return 2 * shift_luts(bits) + 2 * bits + INDEX_LUTS


def _finish(product: ProductSum, tool: Tool, figures: tuple[float, float, float]) -> Cost:
    blocks, lut, ff = figures
    if product.packed:
        lut += _part_select(product)
    r = product.reuse_factor
    fused = product.regime == "outer" and r <= 2 * product.n_in and blocks == 0
    latency = r + 2 - fused + _slow_turns(tool, blocks)
    return Cost(blocks, lut, ff, _memory(product), latency, r)

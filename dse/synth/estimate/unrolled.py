"""Product sums with the weights folded into the logic: hls4ml's latency strategy (`nnet_dense_latency.h`).

Prices and delays are fitted (`fit.json`, made by `tools/fit_estimate.py`); what is priced and how it is counted is stated here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dse.synth.estimate.cost import Cost, adder_luts
from dse.synth.estimate.product import ProductSum
from dse.synth.estimate.tool import Tool

#: LUT prices hold to this width of an addition; wider ones grow in proportion.
FLAT_ADDER_BITS = 22
#: Counts may be expected ones: from half a block on there is one.
ONE_BLOCK = 0.5
#: Cycles of a pipelined multiplier, and its registers in widths of its product: both operands and two products, as the tools
#: write a multiplier of four stages (`mul_..._4_1.v`).
BLOCK_CYCLES, BLOCK_REGISTERS = 2, 3
#: Products up to which sums are trees. Vivado HLS unrolls no more than these; Vitis HLS does, but then leaves the sums as they
#: are written, one addition after the other. Read off one layer of Vitis HLS 2021.1: 561 x 20 with 343 terms per sum takes 192
#: cycles, two additions each by its clock, in six syntheses, whatever the reuse factor; 64 x 64 and 256 x 16 are trees.
TREE_PRODUCTS = 4096
#: An addition of 12 to 20 bits on UltraScale+, ns (see `SLOWER`).
ADDITION_NS = 0.8
#: Prices of flip-flops that are known: a register of one bit is one.
KNOWN_FFS = {"output_bit": 1.0, "input_bit": 1.0, "block_bit": 1.0}


@dataclass(frozen=True, slots=True)
class Schedule:
    """How the sums are cut into clock cycles.

    `stages` are the registers between input and output, `levels` the halvings of the number of terms in one cycle, `first`
    those left in the cycle of the multiplications, `multiply` the cycles of a pipelined multiplier, `serial` the turns that the
    limited multipliers take.
    """

    stages: int
    levels: float
    first: float
    multiply: int
    serial: int
    #: Vivado HLS adds a cycle where it may start less than one input per cycle
    slack: int

    @property
    def latency(self) -> int:
        """Cycles: shared multipliers hide all but the end of the adder tree behind them."""
        alone = self.stages + self.multiply + self.slack
        return alone if self.serial <= 1 else max(alone, self.serial + max(alone - 3, 0))


def limit_of(product: ProductSum) -> int:
    """The multipliers that hls4ml's ALLOCATION pragma allows: ceil(n_in * n_out / RF) - floor(zeros / RF)."""
    zeros = max(product.constants.count - product.constants.terms, 0.0)
    return max(product.multipliers - math.floor(zeros / product.reuse_factor + 1e-9), 1)


def chained(product: ProductSum, tool: Tool) -> bool:
    """Whether the tool leaves the sums as chains instead of trees."""
    return tool.vitis and product.n_in * product.n_out > TREE_PRODUCTS


def schedule(product: ProductSum, tool: Tool, delays: Mapping[str, float]) -> Schedule:
    """Cut the adder trees into cycles.

    A tree over t terms halves them log2 t times; a cycle holds budget / `addition` halvings on UltraScale+, at least one. Older
    families are slower throughout (`SLOWER`), and Vitis HLS allows more for wires (the factor `vitis`). Multiplications take
    levels of their own, or cycles where a DSP block is slower than the budget. What the first cycle leaves of the terms follows
    from each kind's share of them. Sums that are `chained` take their terms in turn.
    """
    blocks = product.constants.wider(tool.fabric_bits(product.input_bits))
    addition = delays["addition"] * (delays["vitis"] if tool.vitis else 1.0)
    levels = max(tool.logic_ns / addition, 1.0)
    slow = blocks >= ONE_BLOCK and tool.block_ns(_block_bits(product, tool)) > tool.budget_ns
    shift = delays["levels_shift"] * (product.constants.pairs > 0)
    block = shift if slow else delays["levels_block"]
    first = block if blocks >= ONE_BLOCK else shift
    share = min(blocks / max(product.constants.terms, 1), 1.0)
    kept = share * 2.0 ** -max(levels - block, 0) + (1 - share) * 2.0 ** -max(levels - shift, 0)
    terms = (product.constants.terms + product.biases) / product.n_out
    depth = math.log2(max(terms, 1)) + first
    stages = max(math.ceil(depth / levels - 1e-9) - 1, 0)
    if chained(product, tool):
        stages = max(math.ceil(terms / max(math.floor(tool.logic_ns / ADDITION_NS), 1)) - 1, stages)
    limited = product.constants.multipliers if product.reuse_factor > 1 else 0
    serial = math.ceil(limited / limit_of(product))
    slack = int(product.reuse_factor > 1 and stages > 0 and not tool.vitis)
    return Schedule(stages, levels, -math.log2(kept), BLOCK_CYCLES if slow else 0, serial, slack)


def _block_bits(product: ProductSum, tool: Tool) -> float:
    """Mean width of the products that DSP blocks compute; 0 without any."""
    limit = tool.fabric_bits(product.input_bits)
    wide = [(width, count) for width, count in product.constants.products if width > limit]
    total = sum(count for _, count in wide)
    return product.input_bits + sum(width * count for width, count in wide) / total if total > 0 else 0.0


def lut_terms(product: ProductSum, tool: Tool) -> dict[str, float]:
    """What LUTs are spent on; see `fit.json` for the price of each."""
    constants = product.constants
    fabric = tool.fabric_bits(product.input_bits)
    blocks = constants.wider(fabric)
    share = _shared(product)
    absorbed = blocks * share if tool.multipliers == "dsp" else 0.0
    wide = max(product.adder_bits / FLAT_ADDER_BITS, 1)
    return {
        "sum": wide * max(constants.terms + product.biases - product.n_out - absorbed, 0),
        "negation_bit": constants.shifts * adder_luts(product.input_bits),
        "pair_bit": constants.pairs * adder_luts(product.input_bits + 1),
        "block": blocks,
        "fabric_bit": constants.area(fabric) * product.input_bits * share,
    }


def _shared(product: ProductSum) -> float:
    """The share of the multiplications that get a multiplier of their own."""
    limited = product.constants.multipliers
    if product.reuse_factor == 1 or limited <= 0:
        return 1.0
    return min(limit_of(product) / limited, 1.0)


def ff_terms(product: ProductSum, tool: Tool, plan: Schedule) -> dict[str, float]:
    """What flip-flops are spent on: bits cut in the adder trees, output registers, inputs that wait, pipelined multipliers."""
    bits = product.adder_bits
    terms = product.constants.terms + product.biases
    cut, alive = 0.0, terms * 2.0**-plan.first
    for _ in range(plan.stages):
        cut += max(alive, product.n_out) * bits
        alive *= 2.0**-plan.levels
    once = product.reuse_factor == 1
    blocks = product.constants.wider(tool.fabric_bits(product.input_bits)) * _shared(product)
    shared = plan.serial > 1
    return {
        "cut_bit": 0.0 if shared else cut * (1.0 if once else 0.8),
        "output_bit": product.n_out * product.accumulator_bits * ((once or plan.stages == 0) and not tool.vitis),
        "input_bit": product.n_in * product.input_bits * min(plan.multiply, 2),
        "block_bit": blocks * BLOCK_REGISTERS * _block_bits(product, tool) * (plan.multiply > 0),
        "waiting_bit": terms * bits * shared,
    }


def unrolled(product: ProductSum, tool: Tool, fit: Mapping[str, Mapping[str, float]]) -> Cost:
    """Blocks and cycles; `fit` holds prices "lut" and "ff" and "delays"."""
    plan = schedule(product, tool, fit["delays"])
    blocks = blocks_of(product, tool)
    latency = plan.latency
    interval = min(product.reuse_factor, latency + 1)
    lut = sum(fit["lut"][name] * value for name, value in lut_terms(product, tool).items())
    ff = sum(fit["ff"][name] * value for name, value in ff_terms(product, tool, plan).items())
    return Cost(blocks, lut, ff, 0.0, latency, interval)


def blocks_of(product: ProductSum, tool: Tool) -> float:
    """DSP blocks: one per different constant that shifts and additions do not reach and whose product is wide."""
    limit = tool.fabric_bits(product.input_bits)
    blocks = sum(count * tool.blocks(product.input_bits, width) for width, count in product.constants.products if width > limit)
    if product.reuse_factor == 1 or blocks <= 0:
        return blocks
    return min(blocks, limit_of(product) * max(blocks / product.constants.wider(limit), 1.0))


def unrolled_resource(product: ProductSum, tool: Tool, fit: Mapping[str, Mapping[str, float]]) -> Cost:
    """The resource strategy with a reuse factor of 1: the same logic, but products are held in registers of their own and the
    loop takes a new input every latency + 1 cycles (28 layers of Vivado HLS 2020.1).
    """
    plan = schedule(product, tool, fit["delays"])
    blocks = blocks_of(product, tool)
    lut = sum(fit["lut"][name] * value for name, value in lut_terms(product, tool).items() if name != "block")
    held = fit["held"]
    others = max(product.constants.terms - blocks, 0) * (product.constants.pairs > 0) * (plan.stages > 0)
    ff = product.n_out * product.accumulator_bits + held["block"] * blocks + held["term"] * others
    return Cost(blocks, lut, ff, 0.0, plan.stages, plan.stages + 1)

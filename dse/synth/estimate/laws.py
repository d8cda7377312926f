"""Closed forms for what a layer costs after high-level synthesis (csynth).

Each function names where its formula comes from: hls4ml's generated code (nnet_utils of hls4ml 1.3.0), the vendor's
documents, or what was seen in synthesised layers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from dse.network import Layer
from dse.synth.estimate.product import ProductSum

#: Additions in a chain that fit in one clock cycle of 5 ns; seen in Vivado HLS 2020.1.
ADDERS_PER_5NS = 6
BRAM_BITS = 18 * 1024
#: Largest operand of a multiplication that the tools build in fabric when the other is as narrow (Vivado HLS 2018-2020).
FABRIC_BITS = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """What one layer takes; cycles are per input of the network."""

    dsp: float = 0.0
    lut: float = 0.0
    ff: float = 0.0
    bram_18k: float = 0.0
    latency_cycles: float = 0.0
    interval_cycles: float = 1.0


def latency_strategy(product: ProductSum, clock_ns: float) -> Cost:
    """All products at once, constants folded in: `nnet_dense_latency.h`.

    One addition per signed digit of each weight that stays in fabric, of accumulator width; weights with wide odd parts
    take a DSP block each and one addition. The adder tree is ceil(log2(n_in)) additions deep.
    """
    w = product.weights
    per_adder = product.accumulator_bits + 1.5
    blocks = w.wide if product.input_bits > FABRIC_BITS else 0
    digits = w.digits * (1 - blocks / max(w.nonzero, 1)) + blocks
    depth = math.ceil(math.log2(max(product.n_in, 2))) + math.ceil(math.log2(max(w.digits / max(w.nonzero, 1), 1)) + 1)
    cycles = math.floor(depth / (ADDERS_PER_5NS * clock_ns / 5.0))
    interval = product.reuse_factor if product.multipliers < w.nonzero else 1
    registers = product.n_out * product.accumulator_bits * (cycles + 1) + product.n_in * product.input_bits * min(cycles, 1)
    return Cost(
        dsp=math.ceil(blocks / interval),
        lut=per_adder * digits,
        ff=registers,
        latency_cycles=cycles + interval - 1,
        interval_cycles=interval,
    )


def resource_strategy(product: ProductSum) -> Cost:
    """One multiplier per block of weights, weights read from block RAM: `nnet_dense_resource.h`.

    Interval = reuse factor and latency = reuse factor + 2 (the pipelined ReuseLoop). Each input passes a multiplexer of
    `reuse_factor` ways; above n_in each multiplier also addresses its accumulators, a multiplexer of n_out ways.
    """
    r, m = product.reuse_factor, product.multipliers
    block = product.weight_bits > FABRIC_BITS or product.input_bits > 18
    fabric = 0.0 if block else m * product.weight_bits * (product.input_bits + 2) / 2
    words = product.n_in * product.n_out * product.weight_bits
    lut = 32.0 * product.n_in * product.input_bits / 16 + 44.5 * product.n_out * product.accumulator_bits / 16 + fabric
    if r > product.n_in:
        lut += 6.0 * m * 2 ** math.ceil(math.log2(product.n_out)) * product.accumulator_bits / 16
    return Cost(
        dsp=float(m) if block else 0.0,
        lut=lut,
        ff=2.0 * product.n_out * product.accumulator_bits + m * product.weight_bits,
        bram_18k=math.ceil(m * product.weight_bits / 36) if r > 1 and words > 1024 else 0.0,
        latency_cycles=r + 2.0,
        interval_cycles=float(r),
    )


def product_cost(product: ProductSum, clock_ns: float, *, stream: bool) -> Cost:
    """A dense layer or a convolution: one product sum, or one per output pixel one after the other."""
    if product.strategy == "latency" or product.reuse_factor == 1:
        cost = latency_strategy(product, clock_ns)
    else:
        cost = resource_strategy(product)
    if product.positions == 1:
        return cost
    if not stream:
        # io_parallel unrolls the output pixels: `nnet_conv2d_latency.h`
        return replace(cost, dsp=cost.dsp * product.positions, lut=cost.lut * product.positions, ff=cost.ff * product.positions)
    total = product.positions * cost.interval_cycles
    return replace(cost, latency_cycles=total + cost.latency_cycles, interval_cycles=total)


def elementwise_cost(layer: Layer, *, stream: bool) -> Cost:
    """Activations and reshapes: a comparison and a selection per bit and element (`nnet_activation.h`).

    io_stream handles one pixel at a time, io_parallel all elements.
    """
    elements = math.prod(layer.output_shape)
    pixels = math.prod(layer.output_shape[:-1]) if stream else 1
    bits = layer.result_type.width * elements / pixels
    return Cost(lut=2.0 * bits, ff=bits, latency_cycles=float(pixels), interval_cycles=float(pixels))

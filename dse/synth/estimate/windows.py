"""Layers that slide a window over an image or a sequence: convolutions and pooling, in both IO types.

io_parallel evaluates `parallelization_factor` output pixels at a time and picks their inputs by multiplexers
(`nnet_conv2d_latency.h`, `nnet_conv2d_resource.h`); io_stream takes one input pixel per turn through a line buffer
(`nnet_conv_stream.h`).
"""

from __future__ import annotations

import math

from dse.network import Layer, Network
from dse.synth.estimate.cost import Cost, adder_luts, mux_luts, ram_blocks
from dse.synth.estimate.elements import compare_luts
from dse.synth.estimate.product import ProductSum
from dse.synth.estimate.tool import Tool

#: Cycles of one turn of a streamed convolution besides its product sum: 784 pixels in 2355 cycles with a sum of 1 cycle
#: (Vitis HLS 2023.2), 400 in 1203 (Vivado HLS 2019.2).
TURN_CYCLES = 2
#: LUTs (by whether the strategy is latency) and flip-flops per value of the window in io_stream (Vitis HLS 2023.2: 18 to 42
#: and 22 to 31 with latency; Vivado HLS 2019.2: about 90 and 28 with resource).
WINDOW_LUTS = {True: 25.0, False: 90.0}
WINDOW_FFS = 28.0
#: A line that is at least this long is kept in shift registers of 32 bits per LUT.
SHIFT_BITS = 32


def input_pixels(layer: Layer) -> int:
    """Pixels that enter, with the padding that hls4ml puts before a streamed convolution."""
    a = layer.attributes
    rows = int(a.get("in_height", 1)) + int(a.get("pad_top", 0)) + int(a.get("pad_bottom", 0))
    columns = int(a.get("in_width", layer.input_shape[0])) + int(a.get("pad_left", 0)) + int(a.get("pad_right", 0))
    return rows * columns if "in_height" in a else columns


def convolution(layer: Layer, product: ProductSum, one: Cost, network: Network) -> Cost:
    """A convolution whose product sum costs `one`."""
    if network.io_type == "io_stream":
        return _streamed(layer, product, one)
    factor = int(layer.attributes.get("parallelization_factor", 1))
    turns = math.ceil(layer.positions / factor)
    window = factor * _window_values(layer, product)
    whole = one.times(factor).plus(Cost(lut=window * mux_luts(turns), ff=window * product.input_bits))
    interval = turns * one.interval_cycles
    return Cost(whole.dsp, whole.lut, whole.ff, whole.bram_18k, interval + one.latency_cycles, interval)


def _window_values(layer: Layer, product: ProductSum) -> int:
    """Values under the kernel: a depthwise sum sees one channel only, its window holds all of them."""
    return product.n_in * (layer.input_shape[-1] if layer.kind.startswith("depthwise") else 1)


def _streamed(layer: Layer, product: ProductSum, one: Cost) -> Cost:
    latency = product.regime == "unrolled"
    turn = max(product.reuse_factor, one.latency_cycles + TURN_CYCLES)
    kernel = int(layer.attributes.get("filt_height", 1))
    columns = int(layer.attributes.get("in_width", layer.input_shape[0]))
    channels = layer.input_shape[-1]
    lines = (kernel - 1) * channels * product.input_bits * math.ceil(columns / SHIFT_BITS)
    cycles = input_pixels(layer) * turn + 3
    window = _window_values(layer, product)
    extra = Cost(lut=WINDOW_LUTS[latency] * window + lines, ff=WINDOW_FFS * window)
    whole = one.plus(extra)
    return Cost(whole.dsp, whole.lut, whole.ff, whole.bram_18k, cycles, cycles)


def pooling(layer: Layer, network: Network, tool: Tool) -> Cost:
    """Maxima by comparison and selection, averages by addition, over each window (`nnet_pooling.h`, its stream twin)."""
    bits = network.layer(layer.inputs[0]).result_type.width
    window = _window(layer)
    peak = "max" in layer.kind
    step = (compare_luts(bits) if not tool.vitis else adder_luts(bits)) + bits if peak else adder_luts(bits + math.log2(window))
    average = 0.0 if peak else bits * 4.0
    channels = layer.input_shape[-1]
    if network.io_type != "io_stream":
        outputs = math.prod(layer.output_shape)
        return Cost(lut=outputs * ((window - 1) * step + average), latency_cycles=1)
    pixels = math.prod(layer.input_shape[:-1])
    turn = 2 if tool.vitis and layer.kind.startswith(("max", "avg")) else 1
    ff = channels * (window * bits + 3 * bits) + 300
    cycles = turn * pixels + 3
    return Cost(lut=channels * ((window - 1) * step + average) + 300, ff=ff, latency_cycles=cycles, interval_cycles=cycles)


def _window(layer: Layer) -> int:
    if layer.kind.startswith("global"):
        return math.prod(layer.input_shape[:-1])
    return int(layer.attributes.get("pool_height", 1)) * int(layer.attributes.get("pool_width", 1))


def fifo(depth: int, bits: float, *, tool: Tool) -> Cost:
    """A FIFO between two streamed layers: block RAM 18 bits wide, or shift registers where it is one deep.

    155 to 163 flip-flops with, 99 without memory (Vitis HLS 2023.2); one FIFO per channel of 24 LUTs and 5 flip-flops in
    Vivado HLS 2019.2, where they are one deep.
    """
    if depth <= 2:
        return Cost(ff=99.0) if tool.vitis else Cost(lut=24.0 * bits / 16, ff=5.0 * bits / 16)
    blocks = math.ceil(bits / 18) * math.ceil(depth / 1024) if tool.vitis else ram_blocks(depth, bits)
    return Cost(lut=60.0, ff=157.0, bram_18k=blocks)

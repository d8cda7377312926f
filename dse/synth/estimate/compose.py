"""From layers to the network: pipeline, dataflow, and what lies between layers."""

from __future__ import annotations

import math
from collections.abc import Mapping

from dse.network import Layer, Network
from dse.synth.estimate.cost import Cost
from dse.synth.estimate.tool import Tool
from dse.synth.estimate.windows import fifo

#: Registers between the layers of one pipeline, per bit of a product sum's results (1.3 to 2.7 in five networks of Vivado HLS
#: 2019.1 and Vitis HLS 2021.1).
BOUNDARY_FFS = 1.6
#: A channel between two io_parallel layers in a dataflow region: LUTs and flip-flops (Vivado HLS 2019.2, 261 channels).
CHANNEL_LUTS, CHANNEL_FFS = 37.0, 6.0
#: Cycles that calling a layer adds: 4 for 8 layers (Vivado HLS 2019.1), 5, 8, 3 and 11 for 4, 6, 4 and 8 (Vitis HLS 2021.1).
CALL_CYCLES = 1.0


def compose(costs: Mapping[str, Cost], network: Network, tool: Tool) -> Cost:
    """The network's cost: all blocks, and cycles by how the layers are connected.

    io_stream and any layer of the resource strategy make hls4ml choose a dataflow region (`pipeline_style`), else the network
    is one pipeline. Both start a new input every max(interval) cycles.
    """
    parts = [costs[layer.name] for layer in network.layers]
    total = parts[0]
    for cost in parts[1:]:
        total = total.plus(cost)
    slowest = max(cost.interval_cycles for cost in parts)
    built = [layer for layer in network.layers if layer.kind not in ("input", "reshape")]
    stream = network.io_type == "io_stream"
    if stream:
        latency = slowest + sum(_tail(costs[layer.name], slowest) for layer in network.layers)
        between = [fifo(_depth(layer), _channel_bits(layer), tool=tool) for layer in network.layers if layer.kind != "input"]
    else:
        followed = {name for layer in network.layers for name in layer.inputs}
        inner = [layer for layer in built if layer.name in followed]
        calls = CALL_CYCLES * len(built) if inner else 0.0
        latency = sum(cost.latency_cycles for cost in parts) + calls
        piped = not dataflow(network)
        between = [_boundary(layer, piped=piped) for layer in inner]
    for cost in between:
        total = total.plus(cost)
    return Cost(total.dsp, total.lut, total.ff, total.bram_18k, latency, slowest)


def apart(costs: Mapping[str, Cost], network: Network) -> float:
    """Cycles of an io_stream network when nothing overlaps that cannot: layers of one position wait for all of their input.

    csynth counts the slowest layer of a dataflow region and short tails: 77 cycles where four streamed dense layers need 68,
    67, 67 and 35 one after the other (Vivado HLS 2019.2). Layers of many pixels do overlap.
    """
    many, one = [0.0], 0.0
    for layer in network.layers:
        cycles = costs[layer.name].latency_cycles
        if math.prod(layer.input_shape[:-1]) > 1:
            many.append(cycles)
        else:
            one += cycles
    return max(many) + one


def _tail(cost: Cost, slowest: float) -> float:
    """What a layer of a dataflow region adds after the slowest one has seen its last pixel: its own last turn."""
    own = cost.latency_cycles
    return 0.0 if own >= slowest else min(own, 20.0)


def dataflow(network: Network) -> bool:
    """Whether hls4ml builds a dataflow region rather than one pipeline."""
    return network.io_type == "io_stream" or any(
        layer.strategy not in ("", "latency") or layer.positions > 1 for layer in network.layers
    )


def _boundary(layer: Layer, *, piped: bool) -> Cost:
    elements = math.prod(layer.output_shape)
    if piped:
        return Cost(ff=BOUNDARY_FFS * elements * layer.result_type.width) if layer.strategy else Cost()
    return Cost(lut=CHANNEL_LUTS, ff=CHANNEL_FFS).times(elements)


def _depth(layer: Layer) -> int:
    """hls4ml's FIFOs hold one whole output, its pixels, where the design does not say otherwise."""
    asked = layer.attributes.get("fifo_depth")
    if asked is not None:
        return int(asked)
    return math.prod(layer.output_shape[:-1]) if len(layer.output_shape) > 1 else 1


def _channel_bits(layer: Layer) -> int:
    return layer.output_shape[-1] * layer.result_type.width
